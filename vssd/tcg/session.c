/* SPDX-License-Identifier: BSD-3-Clause */
/* The session manager, and calls in a session. Core Specification 2.01, sections 3.3.7 and 5.2. */
#include "vssd/tcg/engine.h"

#include <string.h>

#define SESSION_MANAGER UINT64_C(0xff)
#define METHOD_PROPERTIES UINT64_C(0xff01)
#define METHOD_START_SESSION UINT64_C(0xff02)
#define METHOD_SYNC_SESSION UINT64_C(0xff03)

#define ADMIN_SP_UID UINT64_C(0x0000020500000001)
#define LOCKING_SP_UID UINT64_C(0x0000020500000002)

#define FIRST_TSN 4096u
#define HOST_LEAST 2048u /* bytes: what any host accepts as a ComPacket */
#define MS_NS UINT64_C(1000000)
#define LONGEST_MS UINT64_C(86400000)
#define MOST_PROPERTIES 32u

/* Optional parameters of StartSession. */
enum { CHALLENGE = 0, SIGNING_AUTHORITY = 3, SESSION_TIMEOUT = 5, LAST_PARAMETER = 8 };

void vssd_tcg_close(struct vssd_tcg *tcg)
{
	if (tcg->session.in_transaction) {
		tcg->state = tcg->before;
		vssd_tcg_undo_end(tcg, true);
	}
	memset(&tcg->session, 0, sizeof(tcg->session));
}

/* The end of a response: the status list. */
static void put_status(struct vssd_tcg_writer *to, uint8_t status)
{
	vssd_tcg_put(to, VSSD_TCG_END_OF_DATA);
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	vssd_tcg_put_uint(to, status);
	vssd_tcg_put_uint(to, 0);
	vssd_tcg_put_uint(to, 0);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
}

/* Consume what follows the parameters of a call. False: the call is malformed, or the host cancels it. */
static bool take_status(struct vssd_tcg_reader *from)
{
	uint64_t status, reserved;

	return vssd_tcg_take(from, VSSD_TCG_END_OF_DATA) && vssd_tcg_take(from, VSSD_TCG_START_LIST) &&
	       vssd_tcg_take_uint(from, &status) && status == 0 && vssd_tcg_take_uint(from, &reserved) &&
	       vssd_tcg_take_uint(from, &reserved) && vssd_tcg_take(from, VSSD_TCG_END_LIST);
}

/* ---- Properties ---- */

struct property {
	const char *name;
	uint32_t value;
};

static const struct property tper_properties[] = {
	{"MaxMethods", 1},
	{"MaxSubpackets", 1},
	{"MaxPacketSize", VSSD_TCG_MOST - 20},
	{"MaxPackets", 1},
	{"MaxComPacketSize", VSSD_TCG_MOST},
	{"MaxResponseComPacketSize", VSSD_TCG_MOST},
	{"MaxSessions", 1},
	{"MaxReadSessions", 0},
	{"MaxIndTokenSize", VSSD_TCG_MOST - VSSD_TCG_HEADERS - 12},
	{"MaxAggTokenSize", VSSD_TCG_MOST - VSSD_TCG_HEADERS - 12},
	{"MaxAuthentications", VSSD_TCG_AUTHORITIES},
	{"MaxTransactionLimit", 1},
	{"DefSessionTimeout", 0},
	{"MaxSessionTimeout", 0},
	{"MinSessionTimeout", 0},
	{"DefTransTimeout", 0},
	{"MaxTransTimeout", 0},
	{"MinTransTimeout", 0},
	{"MaxComIDTime", 0},
	{"ContinuedTokens", 0},
	{"SequenceNumbers", 0},
	{"AckNAK", 0},
	{"Asynchronous", 0},
};

#define NUM_TPER_PROPERTIES (sizeof(tper_properties) / sizeof(tper_properties[0]))

static void put_property(struct vssd_tcg_writer *to, const void *name, uint32_t length, uint64_t value)
{
	vssd_tcg_put(to, VSSD_TCG_START_NAME);
	vssd_tcg_put_bytes(to, name, length);
	vssd_tcg_put_uint(to, value);
	vssd_tcg_put(to, VSSD_TCG_END_NAME);
}

/* Note what the host accepts, and repeat those of its properties that the TPer knows. */
static bool take_host_properties(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	static const char largest[] = "MaxComPacketSize";
	const uint8_t *name;
	uint32_t length;
	uint64_t value;

	if (!vssd_tcg_take(from, VSSD_TCG_START_LIST))
		return false;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; i < MOST_PROPERTIES && vssd_tcg_take(from, VSSD_TCG_START_NAME); i++) {
		if (!vssd_tcg_take_bytes(from, &name, &length) || !vssd_tcg_take_uint(from, &value) ||
		    !vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return false;
		if (length == sizeof(largest) - 1 && memcmp(name, largest, length) == 0)
			tcg->host_most = value < HOST_LEAST      ? HOST_LEAST
					 : value > VSSD_TCG_MOST ? VSSD_TCG_MOST
								 : (uint32_t)value;
		put_property(to, name, length, value);
	}
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return vssd_tcg_take(from, VSSD_TCG_END_LIST);
}

static uint8_t properties(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	uint64_t name;

	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; i < NUM_TPER_PROPERTIES; i++)
		put_property(to, tper_properties[i].name, (uint32_t)strlen(tper_properties[i].name),
			     tper_properties[i].value);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	if (vssd_tcg_take(from, VSSD_TCG_START_NAME)) {
		vssd_tcg_put(to, VSSD_TCG_START_NAME);
		vssd_tcg_put_uint(to, 0);
		if (!vssd_tcg_take_uint(from, &name) || name != 0 || !take_host_properties(tcg, from, to) ||
		    !vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return VSSD_TCG_INVALID_PARAMETER;
		vssd_tcg_put(to, VSSD_TCG_END_NAME);
	}
	return vssd_tcg_take(from, VSSD_TCG_END_LIST) ? VSSD_TCG_SUCCESS : VSSD_TCG_INVALID_PARAMETER;
}

/* ---- StartSession ---- */

struct start {
	uint64_t hsn;
	uint64_t sp;
	bool writes;
	const uint8_t *challenge;
	uint32_t length;
	uint64_t authority; /* 0: Anybody */
	uint64_t timeout_ms;
};

static bool take_option(struct vssd_tcg_reader *from, struct start *start)
{
	uint64_t name;

	if (!vssd_tcg_take_uint(from, &name) || name > LAST_PARAMETER)
		return false;
	if (name == CHALLENGE)
		return vssd_tcg_take_bytes(from, &start->challenge, &start->length);
	if (name == SIGNING_AUTHORITY)
		return vssd_tcg_take_uid(from, &start->authority);
	if (name == SESSION_TIMEOUT)
		return vssd_tcg_take_uint(from, &start->timeout_ms) && start->timeout_ms <= LONGEST_MS;
	return vssd_tcg_skip(from);
}

static bool take_start(struct vssd_tcg_reader *from, struct start *start)
{
	if (!vssd_tcg_take_uint(from, &start->hsn) || start->hsn > UINT32_MAX ||
	    !vssd_tcg_take_uid(from, &start->sp) || !vssd_tcg_take_bool(from, &start->writes))
		return false;
	while (vssd_tcg_take(from, VSSD_TCG_START_NAME))
		if (!take_option(from, start) || !vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return false;
	return vssd_tcg_take(from, VSSD_TCG_END_LIST);
}

/* Authenticate the authority that signs the session, if the host names one. */
static uint8_t sign(struct vssd_tcg *tcg, const struct start *start, enum vssd_tcg_sp sp)
{
	enum vssd_tcg_authority authority;

	if (!start->authority)
		return VSSD_TCG_SUCCESS;
	authority = vssd_tcg_authority_of(sp, start->authority);
	if (authority == VSSD_TCG_NO_AUTHORITY || authority == VSSD_TCG_ADMINS_CLASS ||
	    authority == VSSD_TCG_USERS_CLASS)
		return VSSD_TCG_INVALID_PARAMETER;
	return vssd_tcg_authenticate(tcg, authority, start->challenge, start->length);
}

static uint8_t start_session(struct vssd_tcg *tcg, const struct start *start)
{
	enum vssd_tcg_sp sp = start->sp == LOCKING_SP_UID ? VSSD_TCG_LOCKING_SP : VSSD_TCG_ADMIN_SP;
	uint8_t status;

	if (start->sp != ADMIN_SP_UID && (start->sp != LOCKING_SP_UID || tcg->state.lifecycle != VSSD_TCG_ACTIVE))
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->session.is_open)
		return VSSD_TCG_NO_SESSIONS;
	tcg->session.authorities = VSSD_TCG_BIT(VSSD_TCG_ANYBODY);
	status = sign(tcg, start, sp);
	if (status)
		return status;
	tcg->last_tsn = tcg->last_tsn < FIRST_TSN || tcg->last_tsn == UINT32_MAX ? FIRST_TSN : tcg->last_tsn + 1;
	tcg->session.is_open = true;
	tcg->session.writes = start->writes;
	tcg->session.sp = sp;
	tcg->session.tsn = tcg->last_tsn;
	tcg->session.hsn = (uint32_t)start->hsn;
	tcg->session.timeout_ns = start->timeout_ms * MS_NS;
	return VSSD_TCG_SUCCESS;
}

/* Answer StartSession by a call of SyncSession. */
static uint8_t sync_session(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	struct start start = {0};
	uint8_t status = VSSD_TCG_INVALID_PARAMETER;

	if (take_start(from, &start))
		status = take_status(from) ? start_session(tcg, &start) : VSSD_TCG_FAIL;
	vssd_tcg_put(to, VSSD_TCG_CALL);
	vssd_tcg_put_uid(to, SESSION_MANAGER);
	vssd_tcg_put_uid(to, METHOD_SYNC_SESSION);
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	vssd_tcg_put_uint(to, start.hsn);
	vssd_tcg_put_uint(to, status ? 0 : tcg->session.tsn);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return status;
}

/* ---- calls ---- */

/* Consume the head of a call, up to its parameters. */
static bool take_call(struct vssd_tcg_reader *from, uint64_t *invoking, uint64_t *method)
{
	return vssd_tcg_take(from, VSSD_TCG_CALL) && vssd_tcg_take_uid(from, invoking) &&
	       vssd_tcg_take_uid(from, method) && vssd_tcg_take(from, VSSD_TCG_START_LIST);
}

/* Write a response that has no results but a status. */
static void put_failure(struct vssd_tcg_writer *to, uint8_t status)
{
	to->length = 0;
	to->full = false;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	put_status(to, status);
}

/* Execute a call of the session manager. */
static void manage(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	uint64_t invoking, method;
	uint8_t status = VSSD_TCG_INVALID_PARAMETER;

	if (!take_call(from, &invoking, &method) || invoking != SESSION_MANAGER) {
		put_failure(to, status);
	} else if (method == METHOD_START_SESSION) {
		status = sync_session(tcg, from, to);
		put_status(to, status);
	} else if (method == METHOD_PROPERTIES) {
		vssd_tcg_put(to, VSSD_TCG_CALL);
		vssd_tcg_put_uid(to, SESSION_MANAGER);
		vssd_tcg_put_uid(to, METHOD_PROPERTIES);
		vssd_tcg_put(to, VSSD_TCG_START_LIST);
		status = properties(tcg, from, to);
		vssd_tcg_put(to, VSSD_TCG_END_LIST);
		put_status(to, status);
		if (status)
			put_failure(to, status);
	} else {
		put_failure(to, status);
	}
}

/* The parameters of a call, which must be followed by a good status: a host may cancel a call at its end. */
static bool is_whole(const struct vssd_tcg_reader *from)
{
	struct vssd_tcg_reader copy = *from;

	while (!vssd_tcg_take(&copy, VSSD_TCG_END_LIST))
		if (!vssd_tcg_skip(&copy))
			return false;
	return take_status(&copy);
}

/* Execute a call in a session. */
static void call(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	uint64_t invoking, method;
	uint8_t status = VSSD_TCG_INVALID_PARAMETER;

	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	if (take_call(from, &invoking, &method) && is_whole(from))
		status = vssd_tcg_method(tcg, invoking, method, from, to);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	put_status(to, status);
	if (to->full || to->length + VSSD_TCG_HEADERS > tcg->host_most)
		put_failure(to, status ? status : VSSD_TCG_RESPONSE_OVERFLOW);
	else if (status)
		put_failure(to, status);
}

static void end_transaction(struct vssd_tcg *tcg, bool undo)
{
	if (undo)
		tcg->state = tcg->before;
	vssd_tcg_undo_end(tcg, undo);
}

/* Start or end a transaction. The response repeats the token and the status. */
static void transact(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to, bool starts)
{
	uint64_t status = 1;
	bool is_good = vssd_tcg_take_uint(from, &status) && starts != tcg->session.in_transaction;

	if (is_good && starts && status == 0)
		tcg->before = tcg->state;
	else if (is_good && !starts)
		end_transaction(tcg, status != 0 && !vssd_tcg_makes(tcg, VSSD_TCG_NO_UNDO));
	if (is_good && (!starts || status == 0))
		tcg->session.in_transaction = starts;
	vssd_tcg_put(to, starts ? VSSD_TCG_START_TRANSACTION : VSSD_TCG_END_TRANSACTION);
	vssd_tcg_put_uint(to, is_good ? status : 1);
	tcg->dirty = true;
}

static void execute_in_session(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	if (vssd_tcg_take(from, VSSD_TCG_END_OF_SESSION)) {
		vssd_tcg_put(to, VSSD_TCG_END_OF_SESSION);
		tcg->session.ends = true;
	} else if (vssd_tcg_take(from, VSSD_TCG_START_TRANSACTION)) {
		transact(tcg, from, to, true);
	} else if (vssd_tcg_take(from, VSSD_TCG_END_TRANSACTION)) {
		transact(tcg, from, to, false);
	} else {
		call(tcg, from, to);
	}
	if (tcg->session.ends)
		vssd_tcg_close(tcg);
}

bool vssd_tcg_execute(struct vssd_tcg *tcg, uint32_t tsn, uint32_t hsn, struct vssd_tcg_reader *from,
		      struct vssd_tcg_writer *to)
{
	if (tsn == 0 && hsn == 0)
		manage(tcg, from, to);
	else if (tcg->session.is_open && tsn == tcg->session.tsn && hsn == tcg->session.hsn)
		execute_in_session(tcg, from, to);
	else
		return false;
	return true;
}
