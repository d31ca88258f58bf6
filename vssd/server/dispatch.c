/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/dispatch.h"

#include <errno.h>
#include <string.h>

/* Execute a command and fill in the reply. 0, or -errno, which discards the reply. */
typedef int handler(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply);

static void set_reply(struct vssd_reply *reply, const void *payload, size_t length)
{
	memcpy(reply->payload, payload, length);
	reply->length = length;
}

static int do_version(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	int length;

	if (session->negotiated)
		return -EINVAL;
	length = vssd_version_negotiate(message->payload, message->length, &session->capabilities, reply->payload);
	if (length < 0)
		return length;
	session->negotiated = true;
	session->remote.max_data = session->capabilities.max_data;
	reply->length = (size_t)length;
	return 0;
}

static int do_dma_map(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_dma_map request;

	(void)reply;
	memcpy(&request, message->payload, sizeof(request));
	if (message->num_fds > 1)
		return -EINVAL;
	return vssd_memory_map(&session->memory, &request, message->num_fds ? message->fds[0] : -1);
}

static int do_dma_unmap(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_dma_unmap request;
	int err;

	memcpy(&request, message->payload, sizeof(request));
	err = vssd_memory_unmap(&session->memory, &request);
	set_reply(reply, &request, sizeof(request));
	return err;
}

static int do_get_info(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_device_info info;

	(void)session;
	memcpy(&info, message->payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return -EINVAL;
	info = (struct vfu_device_info){
		.argsz = sizeof(info),
		.flags = VFU_DEVICE_FLAGS_RESET | VFU_DEVICE_FLAGS_PCI,
		.num_regions = VFU_NUM_REGIONS,
		.num_irqs = VFU_NUM_IRQS,
	};
	set_reply(reply, &info, sizeof(info));
	return 0;
}

static int do_get_region_info(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_region_info request;
	int length;

	memcpy(&request, message->payload, sizeof(request));
	length = vssd_region_info(session, &request, reply->payload, &reply->fd);
	if (length < 0)
		return length;
	reply->length = (size_t)length;
	return 0;
}

static int do_get_irq_info(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_irq_info info;

	memcpy(&info, message->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFU_NUM_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = VFU_IRQ_FLAG_EVENTFD;
	info.count = info.index == VFU_IRQ_MSIX ? vssd_ctrl_vectors(session->ctrl)
						: vssd_interrupts_count(&session->interrupts, info.index);
	set_reply(reply, &info, sizeof(info));
	return 0;
}

static int do_set_irqs(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_irq_set request;
	int err;

	(void)reply;
	memcpy(&request, message->payload, sizeof(request));
	err = vssd_interrupts_set(&session->interrupts, &request, message->payload + sizeof(request),
				  message->length - sizeof(request), message->fds, message->num_fds);
	/* A pin is level-triggered: signal the new eventfd at once if the pin is asserted. */
	if (!err && request.index == VFU_IRQ_INTX && request.flags & (VFU_IRQ_SET_UNMASK | VFU_IRQ_SET_DATA_EVENTFD))
		vssd_ctrl_pin_again(session->ctrl);
	return err;
}

static int do_region_read(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_region_access request;

	memcpy(&request, message->payload, sizeof(request));
	if (!vssd_region_access_is_valid(session, &request))
		return -EINVAL;
	if (request.count == 0)
		return 0;
	set_reply(reply, &request, sizeof(request));
	reply->length += request.count;
	vssd_region_read(session, &request, reply->payload + sizeof(request));
	return 0;
}

static int do_region_write(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	struct vfu_region_access request;

	memcpy(&request, message->payload, sizeof(request));
	if (!vssd_region_access_is_valid(session, &request) || message->length != sizeof(request) + request.count)
		return -EINVAL;
	if (request.count == 0)
		return 0;
	set_reply(reply, &request, sizeof(request));
	vssd_region_write(session, &request, message->payload + sizeof(request));
	return 0;
}

static int do_device_reset(struct vssd_session *session, struct vssd_message *message, struct vssd_reply *reply)
{
	(void)message;
	(void)reply;
	vssd_ctrl_reset(session->ctrl, VSSD_RESET_CONVENTIONAL);
	return 0;
}

/* Other commands, among them those of migration, fail with EINVAL. */
static const struct {
	handler *handle;
	size_t least; /* bytes of payload; more are accepted */
} handlers[] = {
	[VFU_VERSION] = {do_version, sizeof(struct vfu_version)},
	[VFU_DMA_MAP] = {do_dma_map, sizeof(struct vfu_dma_map)},
	[VFU_DMA_UNMAP] = {do_dma_unmap, sizeof(struct vfu_dma_unmap)},
	[VFU_DEVICE_GET_INFO] = {do_get_info, sizeof(struct vfu_device_info)},
	[VFU_DEVICE_GET_REGION_INFO] = {do_get_region_info, sizeof(struct vfu_region_info)},
	[VFU_DEVICE_GET_IRQ_INFO] = {do_get_irq_info, sizeof(struct vfu_irq_info)},
	[VFU_DEVICE_SET_IRQS] = {do_set_irqs, sizeof(struct vfu_irq_set)},
	[VFU_REGION_READ] = {do_region_read, sizeof(struct vfu_region_access)},
	[VFU_REGION_WRITE] = {do_region_write, sizeof(struct vfu_region_access)},
	[VFU_DEVICE_RESET] = {do_device_reset, 0},
};

static bool is_command(const struct vssd_message *message)
{
	return (message->header.flags & VFU_FLAGS_TYPE) == VFU_FLAGS_COMMAND;
}

static bool has_handler(const struct vssd_message *message)
{
	uint16_t command = message->header.command;

	return command < sizeof(handlers) / sizeof(handlers[0]) && handlers[command].handle &&
	       message->length >= handlers[command].least;
}

static void send_reply(struct vssd_session *session, const struct vfu_header *request, int error,
		       const struct vssd_reply *reply)
{
	struct vfu_header header = {
		.id = request->id,
		.command = request->command,
		.flags = VFU_FLAGS_REPLY | (error ? VFU_FLAGS_ERROR : 0),
		.error = (uint32_t)error,
	};

	if (request->flags & VFU_FLAGS_NO_REPLY)
		return;
	if (error)
		vssd_connection_send(&session->connection, header, NULL, 0, -1);
	else
		vssd_connection_send(&session->connection, header, reply->payload, reply->length, reply->fd);
}

void vssd_dispatch_refuse(struct vssd_session *session, struct vssd_message *message, int error)
{
	struct vfu_header header = message->header;
	bool wanted = is_command(message);

	vssd_message_release(message);
	if (wanted)
		send_reply(session, &header, error, NULL);
}

void vssd_dispatch(struct vssd_session *session, struct vssd_message *message)
{
	struct vfu_header header = message->header;
	struct vssd_reply reply;
	int err = -EINVAL;

	reply.length = 0;
	reply.fd = -1;
	if (is_command(message) && has_handler(message) && (session->negotiated || header.command == VFU_VERSION))
		err = handlers[header.command].handle(session, message, &reply);

	/* Close the descriptors that were not kept before the reply: the client may rely on that. */
	vssd_message_release(message);

	/* No command waits for a reply here: this one is late, or unsolicited. */
	if ((header.flags & VFU_FLAGS_TYPE) == VFU_FLAGS_REPLY)
		return;
	send_reply(session, &header, -err, &reply);
	if (!session->negotiated)
		session->connection.broken = true;
}
