/* SPDX-License-Identifier: BSD-3-Clause */
/* ComPackets and the management of the ComID. Core Specification 2.01, sections 3.2.3 and 3.3. */
#include "vssd/tcg/tcg.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/tcg/engine.h"
#include "vssd/tcg/level0.h"

#define COMID_LEVEL0 0x0001u
#define COMID_TPER_RESET 0x0004u
#define COMID_BLOCK_SID 0x0005u
#define COM_HEADER 20u
#define PACKET_HEADER 24u
#define SUBPACKET_HEADER 12u

#define VERIFY_COMID 1u
#define STACK_RESET 2u
#define COMID_ISSUED 2u
#define COMID_ASSOCIATED 3u
#define COMID_REQUEST_SIZE 8u

/* Block SID Authentication: its data. */
#define CLEAR_BY_HARDWARE 0x01u
#define FREEZE_LOCKING_SP 0x01u

const struct vssd_tcg_state *vssd_tcg_state(const struct vssd_tcg *tcg)
{
	return tcg->session.in_transaction ? &tcg->before : &tcg->state;
}

struct vssd_tcg *vssd_tcg_create(const struct vssd_tcg_ops *ops, void *context, const struct vssd_tcg_state *state,
				 const char *label)
{
	struct vssd_tcg *tcg = calloc(1, sizeof(*tcg));

	if (!tcg)
		return NULL;
	tcg->ops = ops;
	tcg->context = context;
	tcg->host_most = VSSD_TCG_MOST;
	if (state && vssd_tcg_state_is_good(state)) {
		tcg->state = *state;
	} else {
		vssd_tcg_state_new(&tcg->state, label);
		ops->save(context, &tcg->state);
	}
	return tcg;
}

void vssd_tcg_destroy(struct vssd_tcg *tcg)
{
	vssd_tcg_undo_end(tcg, false);
	free(tcg);
}

/* Keep what has changed, unless a transaction may still undo it. */
static void settle(struct vssd_tcg *tcg)
{
	if (!tcg->dirty || tcg->session.in_transaction)
		return;
	tcg->dirty = false;
	tcg->ops->save(tcg->context, &tcg->state);
	tcg->ops->changed(tcg->context);
}

static void reset_stack(struct vssd_tcg *tcg)
{
	vssd_tcg_close(tcg);
	tcg->pending = 0;
	tcg->host_most = VSSD_TCG_MOST;
}

/* Lock the state as a reset does. Returns whether anything has changed. */
static bool reset_state(struct vssd_tcg *tcg, enum vssd_tcg_reset kind)
{
	struct vssd_tcg_state before = tcg->state;
	bool changed = vssd_tcg_state_reset(&tcg->state, kind);

	if (vssd_tcg_makes(tcg, VSSD_TCG_STAYS_UNLOCKED))
		memcpy(tcg->state.ranges, before.ranges, sizeof(before.ranges));
	if (vssd_tcg_makes(tcg, VSSD_TCG_STAYS_DONE))
		tcg->state.mbr_done = before.mbr_done;
	return changed;
}

/* End Block SID Authentication, if this reset is one that ends it. */
static void unblock(struct vssd_tcg *tcg, enum vssd_tcg_reset kind)
{
	bool ends = kind == VSSD_TCG_POWER_CYCLE || (kind == VSSD_TCG_HARDWARE && tcg->block.by_hardware);

	if (ends && !vssd_tcg_makes(tcg, VSSD_TCG_STAYS_BLOCKED))
		tcg->block = (struct vssd_tcg_block){.sid = false};
}

void vssd_tcg_reset(struct vssd_tcg *tcg, enum vssd_tcg_reset kind)
{
	reset_stack(tcg);
	tcg->comid_request = 0;
	unblock(tcg, kind);
	tcg->dirty |= reset_state(tcg, kind);
	settle(tcg);
}

/* ---- IF-SEND ---- */

/* Write the headers of a response of length bytes, and pad it. */
static void finish_response(struct vssd_tcg *tcg, uint32_t tsn, uint32_t hsn, uint32_t length)
{
	uint32_t padded = (length + 3) & ~3u;
	uint8_t *at = tcg->response;

	memset(at, 0, VSSD_TCG_HEADERS);
	memset(at + VSSD_TCG_HEADERS + length, 0, padded - length);
	vssd_tcg_put_be(at + 4, 2, VSSD_TCG_COMID);
	vssd_tcg_put_be(at + 16, 4, PACKET_HEADER + SUBPACKET_HEADER + padded);
	vssd_tcg_put_be(at + 20, 4, tsn);
	vssd_tcg_put_be(at + 24, 4, hsn);
	vssd_tcg_put_be(at + 40, 4, SUBPACKET_HEADER + padded);
	vssd_tcg_put_be(at + 52, 4, length);
	tcg->pending = VSSD_TCG_HEADERS + padded;
}

/* Find the tokens of a packet of length bytes. False: there are none. */
static bool open_packet(const uint8_t *packet, uint32_t length, struct vssd_tcg_reader *reader)
{
	uint64_t packet_length, subpacket_length;
	const uint8_t *subpacket = packet + PACKET_HEADER;

	if (length < PACKET_HEADER + SUBPACKET_HEADER)
		return false;
	packet_length = vssd_tcg_get_be(packet + 20, 4);
	subpacket_length = vssd_tcg_get_be(subpacket + 8, 4);
	if (packet_length > length - PACKET_HEADER || packet_length < SUBPACKET_HEADER ||
	    subpacket_length > packet_length - SUBPACKET_HEADER || vssd_tcg_get_be(subpacket + 6, 2) != 0)
		return false;
	reader->at = subpacket + SUBPACKET_HEADER;
	reader->end = reader->at + subpacket_length;
	return true;
}

static void run(struct vssd_tcg *tcg, const uint8_t *packet, uint32_t length)
{
	struct vssd_tcg_writer to = {.bytes = tcg->response + VSSD_TCG_HEADERS,
				     .size = VSSD_TCG_MOST - VSSD_TCG_HEADERS - 4};
	struct vssd_tcg_reader from;
	uint32_t tsn, hsn;

	if (!open_packet(packet, length, &from))
		return;
	tsn = (uint32_t)vssd_tcg_get_be(packet, 4);
	hsn = (uint32_t)vssd_tcg_get_be(packet + 4, 4);
	if (vssd_tcg_execute(tcg, tsn, hsn, &from, &to))
		finish_response(tcg, tsn, hsn, to.length);
	settle(tcg);
}

static void expire(struct vssd_tcg *tcg, uint64_t now_ns)
{
	struct vssd_tcg_session *session = &tcg->session;

	if (session->is_open && session->timeout_ns && now_ns - session->last_ns > session->timeout_ns)
		vssd_tcg_close(tcg);
	session->last_ns = now_ns;
}

static enum vssd_tcg_result send_packet(struct vssd_tcg *tcg, uint16_t comid, const uint8_t *data, uint32_t length)
{
	uint64_t content;

	if (comid != VSSD_TCG_COMID || length < COM_HEADER || vssd_tcg_get_be(data + 4, 4) != VSSD_TCG_COMID << 16)
		return VSSD_TCG_BAD_FIELD;
	content = vssd_tcg_get_be(data + 16, 4);
	if (content > length - COM_HEADER || content > VSSD_TCG_MOST - COM_HEADER)
		return VSSD_TCG_BAD_FIELD;
	if (tcg->pending)
		return VSSD_TCG_BAD_SEQUENCE;
	run(tcg, data + COM_HEADER, (uint32_t)content);
	return VSSD_TCG_DONE;
}

/* Block SID Authentication, as long as SID has the PIN of MSID. Freezing the Locking SP is not supported. Block SID
 * Authentication 1.01, section 4.2. */
static enum vssd_tcg_result block_sid(struct vssd_tcg *tcg, const uint8_t *data, uint32_t length)
{
	if (tcg->block.sid || (length > 1 && data[1] & FREEZE_LOCKING_SP))
		return VSSD_TCG_BAD_FIELD;
	if (!vssd_tcg_state_is_owned(&tcg->state) && !vssd_tcg_makes(tcg, VSSD_TCG_NO_BLOCK))
		tcg->block = (struct vssd_tcg_block){.sid = true, .by_hardware = data[0] & CLEAR_BY_HARDWARE};
	return VSSD_TCG_DONE;
}

static enum vssd_tcg_result manage_comid(struct vssd_tcg *tcg, uint16_t comid, const uint8_t *data, uint32_t length)
{
	uint64_t request;

	if (comid == COMID_TPER_RESET) {
		if (!tcg->state.programmatic_reset)
			return VSSD_TCG_BAD_FIELD;
		vssd_tcg_reset(tcg, VSSD_TCG_PROGRAMMATIC);
		return VSSD_TCG_DONE;
	}
	if (comid == COMID_BLOCK_SID)
		return block_sid(tcg, data, length);
	if (comid != VSSD_TCG_COMID || length < COMID_REQUEST_SIZE ||
	    vssd_tcg_get_be(data, 4) != VSSD_TCG_COMID << 16)
		return VSSD_TCG_BAD_FIELD;
	request = vssd_tcg_get_be(data + 4, 4);
	if (request != VERIFY_COMID && request != STACK_RESET)
		return VSSD_TCG_BAD_FIELD;
	if (request == STACK_RESET)
		reset_stack(tcg);
	tcg->comid_request = (uint32_t)request;
	return VSSD_TCG_DONE;
}

enum vssd_tcg_result vssd_tcg_send(struct vssd_tcg *tcg, uint8_t protocol, uint16_t comid, const uint8_t *data,
				   uint32_t length, uint64_t now_ns)
{
	expire(tcg, now_ns);
	if (length == 0)
		return VSSD_TCG_BAD_FIELD;
	return protocol == VSSD_TCG_PROTOCOL ? send_packet(tcg, comid, data, length)
					     : manage_comid(tcg, comid, data, length);
}

/* ---- IF-RECV ---- */

static void copy(uint8_t *to, uint32_t room, const uint8_t *from, uint32_t length)
{
	memcpy(to, from, length < room ? length : room);
}

static void discover(struct vssd_tcg *tcg, uint8_t *buffer, uint32_t length)
{
	uint8_t data[VSSD_TCG_LEVEL0_SIZE] = {0};
	struct vssd_tcg_geometry geometry;

	tcg->ops->geometry(tcg->context, &geometry);
	copy(buffer, length, data, vssd_tcg_level0(vssd_tcg_state(tcg), &geometry, &tcg->block, data));
}

/* Deliver the response, or say how much room it needs. */
static void deliver(struct vssd_tcg *tcg, uint8_t *buffer, uint32_t length)
{
	uint8_t header[COM_HEADER] = {0};

	if (tcg->pending && tcg->pending <= length) {
		memcpy(buffer, tcg->response, tcg->pending);
		tcg->pending = 0;
		return;
	}
	vssd_tcg_put_be(header + 4, 2, VSSD_TCG_COMID);
	vssd_tcg_put_be(header + 8, 4, tcg->pending);
	vssd_tcg_put_be(header + 12, 4, tcg->pending);
	copy(buffer, length, header, sizeof(header));
}

static void answer_comid(struct vssd_tcg *tcg, uint8_t *buffer, uint32_t length)
{
	uint8_t data[46] = {0};
	bool verifies = tcg->comid_request == VERIFY_COMID;

	vssd_tcg_put_be(data, 2, VSSD_TCG_COMID);
	vssd_tcg_put_be(data + 4, 4, tcg->comid_request);
	if (verifies) {
		vssd_tcg_put_be(data + 10, 2, sizeof(data) - 12);
		vssd_tcg_put_be(data + 12, 4, tcg->session.is_open ? COMID_ASSOCIATED : COMID_ISSUED);
	} else if (tcg->comid_request == STACK_RESET) {
		vssd_tcg_put_be(data + 10, 2, 4);
	}
	tcg->comid_request = 0;
	copy(buffer, length, data, sizeof(data));
}

enum vssd_tcg_result vssd_tcg_receive(struct vssd_tcg *tcg, uint8_t protocol, uint16_t comid, uint8_t *buffer,
				      uint32_t length, uint64_t now_ns)
{
	expire(tcg, now_ns);
	if (protocol == VSSD_TCG_PROTOCOL && comid == COMID_LEVEL0)
		discover(tcg, buffer, length);
	else if (comid != VSSD_TCG_COMID)
		return VSSD_TCG_BAD_FIELD;
	else if (protocol == VSSD_TCG_PROTOCOL)
		deliver(tcg, buffer, length);
	else
		answer_comid(tcg, buffer, length);
	return VSSD_TCG_DONE;
}
