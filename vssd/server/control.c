/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vssd/cmd/mi_message.h"
#include "vssd/control_protocol.h"
#include "vssd/ctrl/ana.h"
#include "vssd/server/control_answers.h"
#include "vssd/server/control_faults.h"
#include "vssd/subsystem/subsystem.h"

struct request_packet {
	struct vssd_control_request head;
	uint8_t data[VSSD_CONTROL_DATA_MAX];
};

struct reply_packet {
	struct vssd_control_reply head;
	uint8_t data[VSSD_CONTROL_DATA_MAX];
};

/* Execute a request. 0, or -errno. The handler fills in data and head.length of the reply. */
typedef int handler(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply);

static void set_data(struct reply_packet *reply, const void *data, uint32_t length)
{
	memcpy(reply->data, data, length);
	reply->head.length = length;
}

static int do_info(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	const struct vssd_options *options = control->options;
	struct vssd_control_info info = {
		.pid = (uint32_t)getpid(),
		.flags = (options->null_store ? VSSD_CONTROL_INFO_NULL : 0) |
			 (options->file ? VSSD_CONTROL_INFO_FILE : 0) |
			 (control->session->subsystem->power ? VSSD_CONTROL_INFO_POWERED : 0) |
			 (vssd_session_has_client(control->session) ? VSSD_CONTROL_INFO_CLIENT : 0),
		.size = options->size,
		.cache_size = options->cache_size,
		.namespaces = options->namespaces,
		.lba_size = options->lba_size,
		.queues = options->queues,
		.queue_entries = options->queue_entries,
		.mdts = options->mdts,
		.nvme_version = options->version,
	};

	(void)request;
	set_data(reply, &info, sizeof(info));
	return 0;
}

static int do_geometry(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	struct vssd_control_geometry geometry = {0};
	int err = vssd_subsystem_geometry(control->session->subsystem, request->head.nsid, &geometry.lba_size,
					  &geometry.nsze);

	if (!err)
		set_data(reply, &geometry, sizeof(geometry));
	return err;
}

static int do_counters(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	struct vssd_counters counted;
	struct vssd_control_counters counters;

	if (request->head.argument > 1)
		return -EINVAL;
	vssd_ctrl_counters(control->session->ctrl, request->head.argument == 1, &counted);
	counters = (struct vssd_control_counters){
		.commands_admin = counted.commands_admin,
		.commands_read = counted.commands_read,
		.commands_write = counted.commands_write,
		.commands_other = counted.commands_other,
		.bytes_read = counted.bytes_read,
		.bytes_written = counted.bytes_written,
		.errors = counted.errors,
		.power_cycles = counted.power_cycles,
		.hmb_hits = counted.hmb_hits,
		.hmb_misses = counted.hmb_misses,
		.hmb_errors = counted.hmb_errors,
	};
	set_data(reply, &counters, sizeof(counters));
	return 0;
}

static int do_power(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	(void)reply;
	if (request->head.argument > 1)
		return -EINVAL;
	vssd_subsystem_power(control->session->subsystem, request->head.argument == 1);
	return 0;
}

static int do_peek(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	uint32_t lba_size;
	uint64_t nsze;
	int err = vssd_subsystem_geometry(control->session->subsystem, request->head.nsid, &lba_size, &nsze);

	if (!err && lba_size > sizeof(reply->data))
		err = -EINVAL;
	if (!err)
		err = vssd_subsystem_peek(control->session->subsystem, request->head.nsid, request->head.lba,
					  reply->data, lba_size);
	if (!err)
		reply->head.length = lba_size;
	return err;
}

static int do_poke(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	uint32_t lba_size;
	uint64_t nsze;
	int err = vssd_subsystem_geometry(control->session->subsystem, request->head.nsid, &lba_size, &nsze);

	(void)reply;
	if (!err && request->head.length != lba_size)
		err = -EINVAL;
	if (!err)
		err = vssd_subsystem_poke(control->session->subsystem, request->head.nsid, request->head.lba,
					  request->data, lba_size);
	return err;
}

static int do_quit(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	(void)request;
	(void)reply;
	control->quit = true;
	return 0;
}

static int do_options(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	_Static_assert(VSSD_OPTIONS_TEXT <= sizeof(reply->data), "options");

	(void)request;
	reply->head.length = (uint32_t)vssd_options_values(control->options, (char *)reply->data);
	return 0;
}

static int do_trace(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	(void)reply;
	if (request->head.argument > 1)
		return -EINVAL;
	return vssd_ctrl_trace(control->session->ctrl, request->head.argument == 1);
}

_Static_assert(VSSD_REFUSALS * sizeof(struct vssd_control_refusal) <= VSSD_CONTROL_DATA_MAX, "refusals in a reply");

static int do_refusals(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	static struct vssd_refusal found[VSSD_REFUSALS]; /* too large for a stack; there is one thread */
	unsigned count;
	int err = vssd_ctrl_refusals(control->session->ctrl, found, &count);

	(void)request;
	for (unsigned i = 0; !err && i < count; i++) {
		struct vssd_control_refusal refusal = {
			.qid = found[i].qid, .cid = found[i].cid, .status = found[i].status};

		memcpy(refusal.command, found[i].command, sizeof(found[i].command));
		memcpy(refusal.field, found[i].field, sizeof(found[i].field));
		memcpy(refusal.section, found[i].section, sizeof(found[i].section));
		memcpy(reply->data + i * sizeof(refusal), &refusal, sizeof(refusal));
		reply->head.length += (uint32_t)sizeof(refusal);
	}
	return err;
}

static int do_faults(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	char text[VSSD_CONTROL_DATA_MAX + 1];

	memcpy(text, request->data, request->head.length);
	text[request->head.length] = '\0';
	return vssd_control_faults(control->session->subsystem->faults, &request->head, text, reply->data,
				   &reply->head.length);
}

static int do_age(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	struct vssd_control_age age;

	(void)reply;
	if (request->head.length != sizeof(age))
		return -EINVAL;
	memcpy(&age, request->data, sizeof(age));
	return vssd_health_age(control->session->subsystem,
			       &(struct vssd_ageing){
				       .hours = age.hours,
				       .used = age.used,
				       .spare = age.spare,
				       .read_only = age.read_only,
				       .backup_failed = age.backup_failed,
				       .temperature = age.temperature,
				       .throttle = age.throttle,
			       })
		       ? 0
		       : -EINVAL;
}

static int do_ana(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	(void)reply;
	if (request->head.argument > UINT8_MAX)
		return -EINVAL;
	return vssd_ana_set(control->session->ctrl, request->head.nsid, (uint8_t)request->head.argument) ? 0
													 : -EINVAL;
}

static int do_answers(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	return vssd_control_answers(&control->session->subsystem->faults->answers, &request->head, request->data,
				    reply->data, &reply->head.length);
}

static handler *const handlers[] = {
	[VSSD_CONTROL_INFO] = do_info,         [VSSD_CONTROL_GEOMETRY] = do_geometry,
	[VSSD_CONTROL_COUNTERS] = do_counters, [VSSD_CONTROL_POWER] = do_power,
	[VSSD_CONTROL_PEEK] = do_peek,         [VSSD_CONTROL_POKE] = do_poke,
	[VSSD_CONTROL_QUIT] = do_quit,         [VSSD_CONTROL_OPTIONS] = do_options,
	[VSSD_CONTROL_TRACE] = do_trace,       [VSSD_CONTROL_REFUSALS] = do_refusals,
	[VSSD_CONTROL_PLANT] = do_faults,      [VSSD_CONTROL_FAULTS] = do_faults,
	[VSSD_CONTROL_REMOVE] = do_faults,     [VSSD_CONTROL_CLEAR] = do_faults,
	[VSSD_CONTROL_RELEASE] = do_faults,    [VSSD_CONTROL_FIRED] = do_faults,
	[VSSD_CONTROL_AGE] = do_age,           [VSSD_CONTROL_ANA] = do_ana,
	[VSSD_CONTROL_ANSWER] = do_answers,    [VSSD_CONTROL_ANSWERED] = do_answers,
};

void vssd_control_init(struct vssd_control *control, struct vssd_session *session, const struct vssd_options *options)
{
	*control = (struct vssd_control){.session = session, .options = options};
}

static struct vssd_mi_endpoint endpoint; /* the drive has one, whoever sends the messages */

static void forget_peer(struct vssd_control *control, int fd)
{
	for (unsigned i = 0; i < control->num_peers; i++) {
		if (control->peers[i] != fd)
			continue;
		vssd_mi_forget(&endpoint, fd);
		close(fd);
		control->num_peers--;
		memmove(&control->peers[i], &control->peers[i + 1],
			(control->num_peers - i) * sizeof(control->peers[0]));
		return;
	}
}

void vssd_control_deinit(struct vssd_control *control)
{
	while (control->num_peers > 0)
		forget_peer(control, control->peers[0]);
}

void vssd_control_accept(struct vssd_control *control, int fd)
{
	if (control->num_peers == VSSD_CONTROL_PEERS)
		forget_peer(control, control->peers[0]);
	control->peers[control->num_peers++] = fd;
}

static bool is_request(const struct request_packet *packet, size_t size, bool truncated)
{
	return !truncated && size >= sizeof(packet->head) && packet->head.magic == VSSD_CONTROL_MAGIC &&
	       packet->head.version == VSSD_CONTROL_VERSION && packet->head.length == size - sizeof(packet->head);
}

static int execute(struct vssd_control *control, const struct request_packet *request, struct reply_packet *reply)
{
	uint16_t command = request->head.command;

	reply->head.command = command;
	if (command >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[command])
		return -ENOTSUP;
	return handlers[command](control, request, reply);
}

/* Send a response. A peer that takes none is forgotten when its socket is next served. */
static void send_response(int peer, const uint8_t *message, uint32_t length)
{
	if (send(peer, message, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		shutdown(peer, SHUT_RDWR);
}

/* Answer a message of the Management Interface, perhaps later. One that is wrong has no answer. */
static void serve_management(struct vssd_control *control, int fd, const struct request_packet *request, size_t size)
{
	struct vssd_mi_sender sender = {send_response, fd};

	if (control->options->optional.mi && size <= sizeof(*request))
		vssd_mi_message(&endpoint, control->session->ctrl, (const uint8_t *)request, (uint32_t)size, sender);
}

void vssd_control_serve(struct vssd_control *control, int fd)
{
	static struct request_packet request; /* too large for a stack; there is one thread */
	static struct reply_packet reply;
	struct iovec part = {&request, sizeof(request)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		forget_peer(control, fd);
		return;
	}
	if (*(const uint8_t *)&request == VSSD_MI_MESSAGE_TYPE) {
		serve_management(control, fd, &request, (size_t)size);
		return;
	}
	reply.head = (struct vssd_control_reply){.magic = VSSD_CONTROL_MAGIC, .version = VSSD_CONTROL_VERSION};
	if (is_request(&request, (size_t)size, message.msg_flags & MSG_TRUNC))
		reply.head.error = (uint32_t)-execute(control, &request, &reply);
	else
		reply.head.error = EPROTO;
	if (reply.head.error)
		reply.head.length = 0;
	if (send(fd, &reply, sizeof(reply.head) + reply.head.length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		forget_peer(control, fd);
}
