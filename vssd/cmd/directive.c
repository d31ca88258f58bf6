/* SPDX-License-Identifier: BSD-3-Clause */
/* Directive Send and Directive Receive. NVM Express Base Specification 2.1, sections 5.1.6, 5.1.7 and 8.1.8. */
#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

enum directive { IDENTIFY, STREAMS, DATA_PLACEMENT };

/* DOPER, by directive and command. */
enum { IDENTIFY_PARAMETERS = 1 };
enum { IDENTIFY_ENABLE = 1 };
enum { STREAMS_PARAMETERS = 1, STREAMS_STATUS, STREAMS_ALLOCATE };
enum { STREAMS_RELEASE_IDENTIFIER = 1, STREAMS_RELEASE_RESOURCES };

#define ENDIR 1u
#define TDTYPE_SHIFT 8u
#define STREAM_WRITE_BYTES 4096u
#define STREAM_GRANULE 64u /* of STREAM_WRITE_BYTES */

static uint32_t bit(uint32_t nsid)
{
	return 1u << (nsid - 1);
}

static bool has_streams(const struct vssd_ctrl *ctrl)
{
	return ctrl->options->optional.streams;
}

static uint16_t refuse_operation(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_DIRECTIVE_SEND_DOPER, "DOPER"),
			   VSSD_OWN);
}

/* Check that the command has data of at least this many bytes, unless it wants less. */
static uint32_t length_of(const struct vssd_request *request, uint32_t size)
{
	uint64_t length = (nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_RECEIVE_NUMD) + 1) * 4;

	return length < size ? (uint32_t)length : size;
}

/* ---- streams ---- */

bool vssd_streams_enabled(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	return nsid - 1 < VSSD_MAX_NAMESPACES && ctrl->features.streams.enabled & bit(nsid);
}

/* How many streams of a namespace are open; nsid 0: of all. */
static uint16_t count_open(const struct vssd_streams *streams, uint32_t nsid)
{
	uint16_t count = 0;

	for (unsigned i = 0; i < VSSD_STREAMS; i++)
		count = (uint16_t)(count + (streams->open[i].nsid && (!nsid || streams->open[i].nsid == nsid)));
	return count;
}

/* Resources that no namespace has for itself. */
static uint16_t count_free(const struct vssd_streams *streams)
{
	uint16_t count = VSSD_STREAMS;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		count = (uint16_t)(count - streams->allocated[i]);
	return count;
}

/* Streams that namespaces without resources of their own have opened. */
static uint16_t count_shared(const struct vssd_streams *streams)
{
	uint16_t count = 0;

	for (unsigned i = 0; i < VSSD_STREAMS; i++)
		if (streams->open[i].nsid && !streams->allocated[streams->open[i].nsid - 1])
			count++;
	return count;
}

static bool shares(const struct vssd_streams *streams, uint32_t nsid, uint32_t other)
{
	return streams->allocated[nsid - 1] ? other == nsid : !streams->allocated[other - 1];
}

/* Close the stream that was used least recently, among those that use the same resources. */
static void close_oldest(struct vssd_streams *streams, uint32_t nsid)
{
	struct vssd_stream *oldest = NULL;

	for (unsigned i = 0; i < VSSD_STREAMS; i++) {
		struct vssd_stream *one = &streams->open[i];

		if (one->nsid && shares(streams, nsid, one->nsid) && (!oldest || one->used < oldest->used))
			oldest = one;
	}
	if (oldest)
		*oldest = (struct vssd_stream){0};
}

static struct vssd_stream *find(struct vssd_streams *streams, uint32_t nsid, uint16_t sid)
{
	for (unsigned i = 0; i < VSSD_STREAMS; i++)
		if (streams->open[i].nsid == nsid && (!nsid || streams->open[i].sid == sid))
			return &streams->open[i];
	return NULL;
}

void vssd_streams_use(struct vssd_ctrl *ctrl, uint32_t nsid, uint16_t sid)
{
	struct vssd_streams *streams = &ctrl->features.streams;
	uint16_t own = streams->allocated[nsid - 1];
	struct vssd_stream *stream = find(streams, nsid, sid);

	if (!stream && !own && count_free(streams) == 0)
		return;
	if (!stream) {
		if (own ? count_open(streams, nsid) >= own : count_shared(streams) >= count_free(streams))
			close_oldest(streams, nsid);
		stream = find(streams, 0, 0);
	}
	if (stream)
		*stream = (struct vssd_stream){.nsid = nsid, .sid = sid, .used = ++streams->writes};
}

/* Close the streams of a namespace, and free its resources. */
static void release(struct vssd_streams *streams, uint32_t nsid)
{
	for (unsigned i = 0; i < VSSD_STREAMS; i++)
		if (streams->open[i].nsid == nsid)
			streams->open[i] = (struct vssd_stream){0};
	streams->allocated[nsid - 1] = 0;
}

static uint16_t send_parameters(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	const struct vssd_streams *streams = &ctrl->features.streams;
	struct nvme_streams_params params = {
		.msl = VSSD_STREAMS,
		.nssa = count_free(streams),
		.nsso = count_open(streams, 0),
	};

	if (request->ns) {
		params.sws = STREAM_WRITE_BYTES >> request->ns->lba_shift;
		params.sgs = STREAM_GRANULE;
		params.nsa = streams->allocated[request->ns->nsid - 1];
		params.nso = count_open(streams, request->ns->nsid);
	}
	return vssd_data_send(request, &params, length_of(request, sizeof(params)));
}

static uint16_t send_open(struct vssd_request *request)
{
	const struct vssd_streams *streams = &request->ctrl->features.streams;
	uint16_t list[1 + VSSD_STREAMS + 1] = {0};
	uint16_t *osc = &list[0];

	for (unsigned i = 0; i < VSSD_STREAMS; i++)
		if (streams->open[i].nsid == request->ns->nsid)
			list[++*osc] = streams->open[i].sid;
	return vssd_data_send(request, list, length_of(request, sizeof(list)));
}

static uint16_t allocate(struct vssd_request *request)
{
	struct vssd_streams *streams = &request->ctrl->features.streams;
	uint16_t *own = &streams->allocated[request->ns->nsid - 1];
	uint16_t wanted = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_RECEIVE_VALUE);

	if (request->ns->guarded && vssd_guard_protection(request, request->ns))
		return NVME_SC_NS_WRITE_PROTECTED;
	if (wanted == 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(12, 15, 0, "NSR"), VSSD_OWN);
	if (*own)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("the namespace has stream resources already"), VSSD_BASE("8.1.8.3"));
	if (count_free(streams) == 0)
		return vssd_refuse(request, NVME_SC_STREAM_ALLOCATION_FAILED,
				   VSSD_STATE("other namespaces have all stream resources"), VSSD_BASE("8.1.8.3"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	release(streams, request->ns->nsid);
	*own = wanted < count_free(streams) ? wanted : count_free(streams);
	request->result = *own;
	while (count_shared(streams) > count_free(streams))
		for (uint32_t nsid = 1; nsid <= VSSD_MAX_NAMESPACES; nsid++)
			if (!streams->allocated[nsid - 1] && count_open(streams, nsid)) {
				close_oldest(streams, nsid);
				break;
			}
	return NVME_SC_SUCCESS;
}

static uint16_t receive_streams(struct vssd_request *request, uint64_t operation)
{
	if (operation == STREAMS_PARAMETERS)
		return send_parameters(request);
	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_OWN);
	if (operation == STREAMS_STATUS)
		return send_open(request);
	return operation == STREAMS_ALLOCATE ? allocate(request) : refuse_operation(request);
}

static uint16_t send_streams(struct vssd_request *request, uint64_t operation)
{
	struct vssd_streams *streams = &request->ctrl->features.streams;
	uint16_t sid = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_SEND_DSPEC);
	struct vssd_stream *stream;

	if (operation != STREAMS_RELEASE_IDENTIFIER && operation != STREAMS_RELEASE_RESOURCES)
		return refuse_operation(request);
	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	stream = find(streams, request->ns->nsid, sid);
	if (operation == STREAMS_RELEASE_RESOURCES)
		release(streams, request->ns->nsid);
	else if (stream)
		*stream = (struct vssd_stream){0};
	return NVME_SC_SUCCESS;
}

/* ---- the Identify directive ---- */

static void set(uint8_t bits[32], enum directive directive)
{
	bits[directive / 8] |= (uint8_t)(1u << directive % 8);
}

/* The data placement directive is enabled where FDP is, and the host cannot change that. */
static uint16_t identify(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_directives data = {0};

	set(data.supported, IDENTIFY);
	set(data.enabled, IDENTIFY);
	if (has_streams(ctrl))
		set(data.supported, STREAMS);
	if (vssd_streams_enabled(ctrl, request->cmd.nsid))
		set(data.enabled, STREAMS);
	if (vssd_fdp_places(ctrl->subsystem)) {
		set(data.supported, DATA_PLACEMENT);
		set(data.enabled, DATA_PLACEMENT);
		set(data.persistent, DATA_PLACEMENT);
	}
	return vssd_data_send(request, &data, length_of(request, sizeof(data)));
}

static uint16_t enable(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_streams *streams = &ctrl->features.streams;
	uint32_t value = request->cmd.cdw12;

	if ((value >> TDTYPE_SHIFT & 0xff) != STREAMS || !has_streams(ctrl))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(12, 15, 8, "TDTYPE"),
				   VSSD_BASE("8.1.8.2"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	for (uint32_t nsid = 1; nsid <= VSSD_MAX_NAMESPACES; nsid++) {
		if (request->cmd.nsid != NVME_NSID_ALL && request->cmd.nsid != nsid)
			continue;
		if (value & ENDIR && vssd_ns_find(ctrl, nsid)) {
			streams->enabled |= bit(nsid);
		} else {
			streams->enabled &= ~bit(nsid);
			release(streams, nsid);
		}
	}
	return NVME_SC_SUCCESS;
}

/* ---- the commands ---- */

static uint16_t check(struct vssd_request *request, uint64_t dtype)
{
	if (dtype == IDENTIFY)
		return NVME_SC_SUCCESS;
	if (dtype != STREAMS || !has_streams(request->ctrl))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_DIRECTIVE_SEND_DTYPE, "DTYPE"), VSSD_OWN);
	if (request->ns && !vssd_streams_enabled(request->ctrl, request->cmd.nsid))
		return vssd_refuse(
			request, NVME_SC_INVALID_FIELD,
			VSSD_FIELD(NVME_FIELD_DIRECTIVE_SEND_DTYPE, "DTYPE, a directive that is not enabled"),
			VSSD_BASE("8.1.8"));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_directive_receive(struct vssd_request *request)
{
	uint64_t dtype = nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_RECEIVE_DTYPE);
	uint64_t operation = nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_RECEIVE_DOPER);
	uint16_t status = check(request, dtype);

	if (status)
		return status;
	if (dtype == STREAMS)
		return receive_streams(request, operation);
	return operation == IDENTIFY_PARAMETERS ? identify(request) : refuse_operation(request);
}

uint16_t vssd_directive_send(struct vssd_request *request)
{
	uint64_t dtype = nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_SEND_DTYPE);
	uint64_t operation = nvme_get_field(&request->cmd, NVME_FIELD_DIRECTIVE_SEND_DOPER);
	uint16_t status = check(request, dtype);

	if (status)
		return status;
	if (dtype == STREAMS)
		return send_streams(request, operation);
	return operation == IDENTIFY_ENABLE ? enable(request) : refuse_operation(request);
}
