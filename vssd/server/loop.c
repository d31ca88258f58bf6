/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/server/loop.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/util/clock.h"

#define BUSY_NS 200000u     /* this long after a command, check the sockets only every LOOK_NS */
#define LOOK_NS 50000u      /* between two checks of the sockets while busy */
#define NAP_SHIFT 3u        /* a nap lasts an eighth of the idle time before it */
#define NAP_NS 500000u      /* but no longer than this, since it delays the client's next doorbell */
#define EARLY_NS 100000u    /* a nap ends this long before a timer, so that the loop spins until then */
#define SPIN_NS 10000000u   /* a timer that is late for longer than this no longer keeps the loop from naps */
#define DUE_NAP_NS 50000u   /* which then take this long */
#define SLEEP_NS 100000000u /* without a client; the device still checks its timers */
#define YIELD_AFTER 1000u   /* idle polls: the host may need this CPU to submit work */

/* Of a port. WATCH_LISTEN precedes WATCH_CLIENT: poll() then checks the client's socket after the listening one, and
 * so never reports a new client without the end of the old one, if that came first. */
enum { WATCH_LISTEN_CONTROL, WATCH_LISTEN, WATCH_CLIENT, WATCH_PEERS };

#define WATCHES_OF_PORT (WATCH_PEERS + VSSD_CONTROL_PEERS)

/* Of the process; those of the ports follow. */
enum { WATCH_SIGNAL, WATCH_OWNER, WATCH_PORTS };

struct watches {
	struct pollfd fds[WATCH_PORTS + VSSD_MAX_CONTROLLERS * WATCHES_OF_PORT];
	unsigned count;
};

/* Returns how many there are. */
static unsigned watch_port(const struct vssd_port *port, struct pollfd *fds)
{
	const struct vssd_connection *client = &port->session.connection;

	fds[WATCH_LISTEN] = (struct pollfd){.fd = port->folder.client_fd, .events = POLLIN};
	fds[WATCH_LISTEN_CONTROL] = (struct pollfd){.fd = port->folder.control_fd, .events = POLLIN};
	/* Read nothing from a client that does not read its replies. */
	fds[WATCH_CLIENT] = (struct pollfd){
		.fd = client->fd,
		.events = client->outgoing ? POLLOUT : POLLIN | POLLRDHUP,
	};
	for (unsigned i = 0; i < port->control.num_peers; i++)
		fds[WATCH_PEERS + i] = (struct pollfd){.fd = port->control.peers[i], .events = POLLIN};
	return WATCH_PEERS + port->control.num_peers;
}

static void set_watches(const struct vssd_loop *loop, struct watches *watches)
{
	watches->fds[WATCH_SIGNAL] = (struct pollfd){.fd = loop->signal_fd, .events = POLLIN};
	watches->fds[WATCH_OWNER] = (struct pollfd){.fd = loop->owner_fd};
	watches->count = WATCH_PORTS;
	for (unsigned i = 0; i < loop->ports->count; i++)
		watches->count += watch_port(&loop->ports->ports[i], &watches->fds[watches->count]);
}

/* Accept a client, or close the connection at once if there is one already. */
static void accept_client(struct vssd_port *port, bool is_leaving)
{
	int fd;

	if (is_leaving)
		return;
	fd = accept4(port->folder.client_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (vssd_session_has_client(&port->session))
		close(fd);
	else
		vssd_session_accept(&port->session, fd);
}

static void accept_control(struct vssd_port *port)
{
	int fd = accept4(port->folder.control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		vssd_control_accept(&port->control, fd);
}

/* Serve the sockets of a port, whose watches are these. True: something was done. */
static bool serve_port(struct vssd_port *port, const struct pollfd *fds, unsigned count)
{
	struct vssd_session *session = &port->session;
	bool worked = false;

	for (unsigned i = WATCH_PEERS; i < count; i++)
		if (fds[i].revents) {
			vssd_control_serve(&port->control, fds[i].fd);
			worked = true;
		}
	if (fds[WATCH_LISTEN_CONTROL].revents) {
		accept_control(port);
		worked = true;
	}
	if (fds[WATCH_CLIENT].revents || vssd_session_has_backlog(session))
		worked |= vssd_session_serve(session);
	if (fds[WATCH_LISTEN].revents) {
		accept_client(port,
			      vssd_session_has_client(session) && fds[WATCH_CLIENT].revents & (POLLHUP | POLLRDHUP));
		worked = true;
	}
	return worked;
}

static bool has_backlog(const struct vssd_ports *ports)
{
	for (unsigned i = 0; i < ports->count; i++)
		if (vssd_session_has_backlog(&ports->ports[i].session))
			return true;
	return false;
}

/* Poll the sockets for up to ns and serve them. True: something was done. */
static bool look(const struct vssd_loop *loop, uint32_t ns, bool *stop)
{
	bool backlog = has_backlog(loop->ports), worked = false;
	struct timespec patience = {.tv_nsec = backlog ? 0 : ns};
	struct watches watches;
	unsigned at = WATCH_PORTS;

	set_watches(loop, &watches);
	if (ppoll(watches.fds, watches.count, &patience, NULL) <= 0 && !backlog)
		return false;

	*stop = watches.fds[WATCH_SIGNAL].revents || watches.fds[WATCH_OWNER].revents;
	for (unsigned i = 0; i < loop->ports->count; i++) {
		struct vssd_port *port = &loop->ports->ports[i];
		unsigned count = WATCH_PEERS + port->control.num_peers;

		worked |= serve_port(port, &watches.fds[at], count);
		*stop |= port->control.quit;
		at += count;
	}
	return worked;
}

/* How long to nap after this idle time, in nanoseconds. A nap never delays a timer. */
static uint32_t nap_after(uint64_t idle, uint64_t left)
{
	uint64_t nap = idle >> NAP_SHIFT < NAP_NS ? idle >> NAP_SHIFT : NAP_NS;

	if (left > EARLY_NS)
		return (uint32_t)(nap < left - EARLY_NS ? nap : left - EARLY_NS);
	return idle < SPIN_NS ? 0 : DUE_NAP_NS;
}

/* Nanoseconds until a controller has to be polled for a timer. */
static uint64_t until_due(const struct vssd_loop *loop, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < loop->ports->count; i++) {
		uint64_t one = vssd_ctrl_next_due(loop->ports->ports[i].session.ctrl);

		due = one < due ? one : due;
	}
	return due > now ? pyn_ticks_to_ns(due - now) : 0;
}

static bool has_client(const struct vssd_ports *ports)
{
	for (unsigned i = 0; i < ports->count; i++)
		if (vssd_session_has_client(&ports->ports[i].session))
			return true;
	return false;
}

static unsigned poll_ctrls(const struct vssd_ports *ports)
{
	unsigned commands = 0;

	for (unsigned i = 0; i < ports->count; i++)
		commands += vssd_ctrl_poll(ports->ports[i].session.ctrl);
	return commands;
}

void vssd_loop_run(struct vssd_loop *loop)
{
	const uint64_t busy = pyn_ns_to_ticks(BUSY_NS), between = pyn_ns_to_ticks(LOOK_NS);
	uint64_t last_command = pyn_ticks() - busy, last_work = pyn_ticks(), last_check = 0;
	unsigned empty = 0;
	bool stop = false;

	/* Without this a nap of 50 us takes 100 us. */
	prctl(PR_SET_TIMERSLACK, 1);
	while (!stop) {
		unsigned commands = poll_ctrls(loop->ports);
		uint64_t now = pyn_ticks();
		uint32_t nap = 0;

		if (commands > 0) {
			last_command = last_work = now;
			empty = 0;
		} else if (++empty >= YIELD_AFTER) {
			sched_yield();
			empty = 0;
		}
		if (now - last_command < busy && now - last_check < between)
			continue;
		if (!has_client(loop->ports))
			nap = commands > 0 ? 0 : SLEEP_NS;
		else if (now - last_work >= busy)
			nap = nap_after(pyn_ticks_to_ns(now - last_work), until_due(loop, now));
		last_check = now;
		if (look(loop, nap, &stop))
			last_work = pyn_ticks();
	}
}
