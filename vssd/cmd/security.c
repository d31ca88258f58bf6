/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Security Send and Security Receive: protocol 00h here, 01h and 02h by the TPer, EAh by RPMB. NVM Express Base
 * Specification 2.1, sections 5.1.23, 5.1.24 and 8.1.21; SCSI Primary Commands 5, section 7.7.1; TCG Storage
 * Interface Interactions Specification.
 */
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

#define PROTOCOL_INFORMATION 0u
#define INFORMATION_PROTOCOLS 0u /* SPSP of it: the list of protocols, and the certificate */
#define INFORMATION_CERTIFICATE 1u
#define LIST_HEADER 8u
#define SIIS "TCG Storage Interface Interactions, NVMe"

#define SECP VSSD_FIELD(NVME_FIELD_SECURITY_SEND_SECP, "SECP")
#define SPSP VSSD_FIELD(NVME_FIELD_SECURITY_SEND_SPSP, "SPSP")

static uint8_t protocol_of(const struct vssd_request *request)
{
	return (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_SECURITY_SEND_SECP);
}

static uint16_t specific_of(const struct vssd_request *request)
{
	return (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_SECURITY_SEND_SPSP);
}

static bool is_tcg(const struct vssd_request *request)
{
	uint8_t protocol = protocol_of(request);

	return request->ctrl->subsystem->security->tcg &&
	       (protocol == VSSD_TCG_PROTOCOL || protocol == VSSD_TCG_PROTOCOL_COMID);
}

static bool is_rpmb(const struct vssd_request *request)
{
	return request->ctrl->subsystem->security->rpmb && protocol_of(request) == VSSD_RPMB_PROTOCOL;
}

static uint16_t check_length(struct vssd_request *request, uint64_t length)
{
	if (length <= request->ctrl->transfers.most)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_DWORD(11, "length, above MDTS"), VSSD_OWN);
}

/* Check NSID, reservations, and the length of the data, which Security Receive allows to be 0. */
static uint16_t check(struct vssd_request *request, uint64_t length, unsigned access)
{
	uint32_t nsid = request->cmd.nsid;
	uint16_t status;

	if (nsid != 0 && nsid != NVME_NSID_ALL && !vssd_nsid_is_valid(request->ctrl, nsid))
		return vssd_refuse(request, NVME_SC_INVALID_NAMESPACE, VSSD_NSID, VSSD_OWN);
	status = check_length(request, length);
	return status ? status : vssd_reservation_check_named(request, access);
}

/* The status for how an IF-SEND or IF-RECV ends. */
static uint16_t status_of(struct vssd_request *request, enum vssd_tcg_result result)
{
	switch (result) {
	case VSSD_TCG_BAD_FIELD:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_BITS(10, 23, 8, "SPSP, or the header of the data"), SIIS);
	case VSSD_TCG_BAD_SEQUENCE:
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("the response to the command before was not received"), SIIS);
	default:
		return NVME_SC_SUCCESS;
	}
}

/* The status for how a request or a response of RPMB ends. */
static uint16_t status_of_rpmb(struct vssd_request *request, enum vssd_rpmb_end end)
{
	switch (end) {
	case VSSD_RPMB_BAD_TARGET:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_SECURITY_SEND_NSSF, "NSSF, or the target of the frame"),
				   VSSD_BASE("8.1.21"));
	case VSSD_RPMB_BAD_FRAME:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("the length or the message of the frame is wrong"),
				   VSSD_BASE("8.1.21"));
	case VSSD_RPMB_BAD_SEQUENCE:
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("there was no request since the last reset"), VSSD_BASE("8.1.21"));
	default:
		return NVME_SC_SUCCESS;
	}
}

static uint8_t target_of(const struct vssd_request *request)
{
	return (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_SECURITY_SEND_NSSF);
}

/* Check what Security Send and Security Receive have in common with this protocol. Returns a status. */
static uint16_t check_protocol(struct vssd_request *request)
{
	if (is_rpmb(request) && specific_of(request) != VSSD_RPMB_SPSP)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, SPSP, VSSD_OWN);
	if (!is_tcg(request) && !is_rpmb(request))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, SECP, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static uint16_t deliver(struct vssd_request *request, const uint8_t *data, uint32_t length)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;

	if (is_rpmb(request))
		return status_of_rpmb(request, vssd_rpmb_send(subsystem, target_of(request), data, length));
	return status_of(request, vssd_tcg_send(subsystem->security->tcg, protocol_of(request), specific_of(request),
						data, length, pyn_monotonic_ns()));
}

/* nvme-cli sends RPMB's requests with TL 0 and receives the responses with AL 0. So then the frame tells how much to
 * transfer. TL and AL are specific to the protocol. */
static uint16_t length_by_frame(struct vssd_request *request, uint64_t *length)
{
	struct nvme_rpmb_frame frame;
	uint16_t status = vssd_data_receive(request, &frame, sizeof(frame));

	if (status)
		return status;
	*length = vssd_rpmb_request_length(&frame);
	return check_length(request, *length);
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("there is no memory for the data"), VSSD_OWN);
}

uint16_t vssd_security_send(struct vssd_request *request)
{
	uint64_t length = nvme_get_field(&request->cmd, NVME_FIELD_SECURITY_SEND_TL);
	uint16_t status = check(request, length, VSSD_ACCESS_WRITE);
	uint8_t *data;

	if (!status)
		status = check_protocol(request);
	if (!status && length == 0 && is_rpmb(request))
		status = length_by_frame(request, &length);
	else if (!status && length == 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_DWORD(11, "TL"), SIIS);
	if (status)
		return status;
	data = malloc(length);
	if (!data)
		return no_memory(request);
	status = vssd_data_receive(request, data, (uint32_t)length);
	if (!status && !request->is_trial)
		status = deliver(request, data, (uint32_t)length);
	free(data);
	return status;
}

/* Security protocol 00h: which others there are, and no certificate. */
static uint16_t inform(struct vssd_request *request, uint8_t *data, uint64_t length)
{
	uint8_t list[LIST_HEADER + 4] = {[LIST_HEADER] = PROTOCOL_INFORMATION};
	uint32_t size = LIST_HEADER + 1;

	if (specific_of(request) > INFORMATION_CERTIFICATE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, SPSP, "SPC-5, 7.7.1");
	if (specific_of(request) == INFORMATION_CERTIFICATE)
		return NVME_SC_SUCCESS;
	if (request->ctrl->subsystem->security->tcg) {
		list[size++] = VSSD_TCG_PROTOCOL;
		list[size++] = VSSD_TCG_PROTOCOL_COMID;
	}
	if (request->ctrl->subsystem->security->rpmb)
		list[size++] = VSSD_RPMB_PROTOCOL;
	list[LIST_HEADER - 1] = (uint8_t)(size - LIST_HEADER);
	memcpy(data, list, size < length ? size : length);
	return NVME_SC_SUCCESS;
}

static uint16_t fill(struct vssd_request *request, uint8_t *data, uint64_t length)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t status;

	if (protocol_of(request) == PROTOCOL_INFORMATION)
		return inform(request, data, length);
	status = check_protocol(request);
	if (status)
		return status;
	if (is_rpmb(request))
		return status_of_rpmb(request,
				      vssd_rpmb_receive(subsystem, target_of(request), data, (uint32_t)length));
	return status_of(request, vssd_tcg_receive(subsystem->security->tcg, protocol_of(request),
						   specific_of(request), data, (uint32_t)length, pyn_monotonic_ns()));
}

uint16_t vssd_security_receive(struct vssd_request *request)
{
	uint64_t length = nvme_get_field(&request->cmd, NVME_FIELD_SECURITY_RECEIVE_AL);
	uint16_t status = check(request, length, VSSD_ACCESS_READ);
	uint8_t *data;

	if (!status && length == 0 && is_rpmb(request)) {
		length = vssd_rpmb_response_length(request->ctrl->subsystem, target_of(request));
		status = check_length(request, length);
	}
	if (status)
		return status;
	if (request->is_trial)
		return length ? vssd_data_map(request, length, VSSD_DMA_WRITE) : NVME_SC_SUCCESS;
	data = calloc(1, length ? length : 1);
	if (!data)
		return no_memory(request);
	status = fill(request, data, length);
	if (!status && length > 0)
		status = vssd_data_send(request, data, (uint32_t)length);
	free(data);
	return status;
}
