/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against a device that lies, refuses, asks for what is not its own, or goes away. */
/* sources: core/pci/*.c core/env/*.c core/util/*.c */
/* dpdk */
#define _GNU_SOURCE 1
#include "core/util/clock.h"
#include "tests/c/fake_vfio_user.h"

/* The device opens; then hook plays, and reading a register fails with kind and why. */
static void check_read_fails(bool (*hook)(struct message *message), int kind, const char *why)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci = NULL;
	uint32_t value = 0;
	int before;

	CHECK_EQ(pyn_env_start(NULL), 0);
	before = count_descriptors();
	start(NULL);
	if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
		fake.hook = hook;
		CHECK(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err) < 0);
		CHECK_EQ(err.kind, kind);
		CHECK_HAS(err.text, why);
		if (kind == PYN_ERROR_GONE) {
			CHECK(!pci->ops->alive(pci));
			CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), -ENODEV);
		} else {
			fake.hook = NULL;
			CHECK(pci->ops->alive(pci));
			CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), 0);
		}
		pci->ops->close(pci);
	}
	stop();
	CHECK_EQ(count_descriptors(), before);
}

/* ---- replies that lie ---- */

static bool reply_changed(struct message *message, uint16_t id, uint16_t command, uint32_t size, uint32_t flags)
{
	struct vfu_header header = {.id = (uint16_t)(message->header.id + id),
				    .command = (uint16_t)(message->header.command + command),
				    .size = size,
				    .flags = flags};
	uint8_t payload[64] = {0};

	memcpy(payload, message->payload, sizeof(struct vfu_region_access));
	send_all_of(&header, payload, sizeof(payload), NULL, 0);
	return true;
}

static bool reply_other_id(struct message *message)
{
	return reply_changed(message, 1, 0, 36, VFU_FLAGS_REPLY);
}

static bool reply_other_command(struct message *message)
{
	return reply_changed(message, 0, 1, 36, VFU_FLAGS_REPLY);
}

static bool reply_too_long(struct message *message)
{
	return reply_changed(message, 0, 0, 40, VFU_FLAGS_REPLY);
}

static bool reply_too_short(struct message *message)
{
	return reply_changed(message, 0, 0, 34, VFU_FLAGS_REPLY);
}

static bool reply_of_4_gib(struct message *message)
{
	return reply_changed(message, 0, 0, UINT32_MAX, VFU_FLAGS_REPLY);
}

static bool reply_shorter_than_its_header(struct message *message)
{
	return reply_changed(message, 0, 0, 15, VFU_FLAGS_REPLY);
}

static bool reply_of_unknown_type(struct message *message)
{
	return reply_changed(message, 0, 0, 36, 7);
}

static bool reply_for_another_place(struct message *message)
{
	message->payload[0] ^= 8;
	return reply_changed(message, 0, 0, 36, VFU_FLAGS_REPLY);
}

static int open_fake(struct pyn_pci **pci, struct pyn_error *err)
{
	struct pyn_address address;
	int rc = pyn_address_parse(fake.folder, &address, err);

	return rc ? rc : pyn_pci_open(&address, pci, err);
}

TEST(replies_that_do_not_fit_their_request_mean_a_device_that_is_gone)
{
	check_read_fails(reply_other_id, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_other_command, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_too_long, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_too_short, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_of_4_gib, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_shorter_than_its_header, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_of_unknown_type, PYN_ERROR_GONE, "no proper answer to REGION_READ");
	check_read_fails(reply_for_another_place, PYN_ERROR_GONE, "answered for another place");
}

static bool end_in_the_middle(struct message *message)
{
	send_bytes(message, 7);
	return hang_up(message);
}

TEST(a_connection_that_ends_means_a_device_that_is_gone)
{
	check_read_fails(hang_up, PYN_ERROR_GONE, "closed the connection (asked for REGION_READ)");
	check_read_fails(end_in_the_middle, PYN_ERROR_GONE, "closed the connection");
}

static bool say_half_of_it(struct message *message)
{
	send_bytes(message, 7);
	return true;
}

TEST(half_an_answer_means_a_device_that_is_gone)
{
	check_read_fails(say_half_of_it, PYN_ERROR_GONE, "does not answer (asked for REGION_READ)");
}

/* ---- a device that is stopped, and goes on ---- */

static struct message the_late;

static bool say_nothing_yet(struct message *message)
{
	the_late = *message;
	return say_nothing(message);
}

/* What the device sends when it goes on. */
static void answer_late(int16_t wrong_id)
{
	struct {
		struct vfu_region_access access;
		uint32_t value;
	} reply = {.value = 0x1a7e};

	memcpy(&reply.access, the_late.payload, sizeof(reply.access));
	the_late.header.id = (uint16_t)(the_late.header.id + wrong_id);
	answer(&the_late, &reply, sizeof(reply.access) + sizeof(reply.value));
}

static void check_silence(struct pyn_pci *pci)
{
	uint64_t before = pyn_monotonic_ns();
	struct pyn_error err = {0};
	uint32_t value = 0;

	fake.hook = say_nothing_yet;
	CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), -ETIMEDOUT);
	CHECK_EQ(err.kind, PYN_ERROR_GONE);
	CHECK_HAS(err.text, "does not answer (asked for REGION_READ)");
	fake.hook = NULL;
	uint64_t waited = pyn_monotonic_ns() - before;

	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), -ETIMEDOUT);
		CHECK_HAS(err.text, "It can be used again as soon as it goes on");
	}
	CHECK_TIME(pyn_monotonic_ns() - before < 2 * waited);
	/* What it has in flight may still be carried out. */
	CHECK(pci->ops->alive(pci));
}

TEST(a_device_that_was_silent_is_used_again_when_it_answers)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci = NULL;
	uint32_t value = 0;

	CHECK_EQ(pyn_env_start(NULL), 0);
	start(NULL);
	if (CHECK_EQ(open_fake(&pci, &err), 0)) {
		memset(fake.bar, 0x5a, 4);
		for (unsigned i = 0; i < 2; i++) {
			check_silence(pci);
			answer_late(0);
			CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), 0);
			CHECK_EQ(value, 0x5a5a5a5a); /* and not what came late */
		}
		pci->ops->close(pci);
	}
	stop();
}

TEST(a_late_answer_to_another_request_means_a_device_that_is_gone)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci = NULL;
	uint32_t value = 0;

	start(NULL);
	if (CHECK_EQ(open_fake(&pci, &err), 0)) {
		check_silence(pci);
		answer_late(1);
		CHECK_EQ(pci->ops->bar_read(pci, 0, &value, sizeof(value), &err), -EPROTO);
		CHECK(!pci->ops->alive(pci));
		pci->ops->close(pci);
	}
	stop();
}

TEST(a_silent_device_can_be_closed)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci = NULL;

	start(NULL);
	int before = count_descriptors();

	if (CHECK_EQ(open_fake(&pci, &err), 0)) {
		check_silence(pci);
		pci->ops->close(pci);
	}
	CHECK(count_descriptors() <= before + 1);
	stop();
}

static bool refuse_with_payload(struct message *message)
{
	char payload[100] = "something that was prepared before it failed";

	answer_with(message, VFU_FLAGS_ERROR, EPERM, payload, sizeof(payload));
	return true;
}

static bool refuse_without_reason(struct message *message)
{
	refuse(message, 0);
	return true;
}

static bool refuse_with_nonsense(struct message *message)
{
	refuse(message, 0x80000001);
	return true;
}

static bool refuse_with_descriptors(struct message *message)
{
	struct vfu_header header = {.id = message->header.id,
				    .command = message->header.command,
				    .size = sizeof(header),
				    .flags = VFU_FLAGS_REPLY | VFU_FLAGS_ERROR,
				    .error = EIO};
	int fds[3] = {fake.doorbell_file, fake.doorbell_file, fake.doorbell_file};

	send_all_of(&header, NULL, 0, fds, 3);
	return true;
}

TEST(a_refusal_leaves_the_device_usable)
{
	check_read_fails(refuse_with_payload, PYN_ERROR_UNSUPPORTED, "refused REGION_READ: Operation not permitted");
	check_read_fails(refuse_without_reason, PYN_ERROR_UNSUPPORTED, "refused REGION_READ: Invalid argument");
	check_read_fails(refuse_with_nonsense, PYN_ERROR_UNSUPPORTED, "refused REGION_READ: Invalid argument");
	check_read_fails(refuse_with_descriptors, PYN_ERROR_UNSUPPORTED, "refused REGION_READ: Input/output error");
}

static bool reply_with_descriptors(struct message *message)
{
	struct vfu_header header = {.id = message->header.id,
				    .command = message->header.command,
				    .size = sizeof(header) + 20,
				    .flags = VFU_FLAGS_REPLY};
	int fds[8];

	for (int i = 0; i < 8; i++)
		fds[i] = fake.doorbell_file;
	send_all_of(&header, message->payload, 20, fds, 8);
	return true;
}

static bool reply_with_too_many_descriptors(struct message *message)
{
	struct vfu_header header = {.id = message->header.id,
				    .command = message->header.command,
				    .size = sizeof(header) + 20,
				    .flags = VFU_FLAGS_REPLY};
	int fds[12];

	for (int i = 0; i < 12; i++)
		fds[i] = fake.doorbell_file;
	send_all_of(&header, message->payload, 20, fds, 12);
	return true;
}

TEST(descriptors_that_nobody_wants_are_closed)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint32_t value;
	int before;

	start(NULL);
	if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
		fake.hook = reply_with_descriptors;
		before = count_descriptors();
		CHECK_EQ(pci->ops->bar_read(pci, 0, &value, 4, &err), 0);
		CHECK_EQ(count_descriptors(), before);
		fake.hook = NULL;
		pci->ops->close(pci);
	}
	stop();
	check_read_fails(reply_with_too_many_descriptors, PYN_ERROR_GONE, "no proper answer");
}

/* ---- regions that lie ---- */

static struct vfu_region_info lie;
static uint32_t lie_areas;
static struct vfu_sparse_area lie_area;
static uint32_t lie_next;

static bool lie_about_bar(struct message *message)
{
	struct {
		struct vfu_region_info info;
		struct vfu_cap_header header;
		uint32_t nr_areas, reserved;
		struct vfu_sparse_area area;
	} reply = {
		.info = lie, .header = {VFU_CAP_SPARSE_MMAP, 1, lie_next}, .nr_areas = lie_areas, .area = lie_area};
	struct vfu_header header = {.id = message->header.id,
				    .command = message->header.command,
				    .size = sizeof(header) + sizeof(reply),
				    .flags = VFU_FLAGS_REPLY};
	uint32_t index;

	memcpy(&index, message->payload + 8, sizeof(index));
	if (message->header.command != VFU_DEVICE_GET_REGION_INFO || index != VFU_REGION_BAR0)
		return false;
	send_all_of(&header, &reply, sizeof(reply), &fake.doorbell_file, 1);
	return true;
}

/* The device opens, but what it offered is not mapped. */
static void check_not_mapped(void)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};

	start(lie_about_bar);
	if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
		CHECK(!pci->ops->bar_map(pci, 0, DOORBELLS, 4));
		CHECK(!pci->ops->bar_map(pci, 0, 0, 4));
		pci->ops->close(pci);
	}
	stop();
}

TEST(mappings_that_do_not_fit_region_or_file_are_not_made)
{
	static const struct vfu_region_info bar = {.flags = VFU_REGION_FLAG_READ | VFU_REGION_FLAG_WRITE |
							    VFU_REGION_FLAG_MMAP | VFU_REGION_FLAG_CAPS,
						   .size = BAR_SIZE,
						   .cap_offset = 32};
	static const struct vfu_sparse_area areas[] = {
		{DOORBELLS, UINT64_MAX - 4095}, {BAR_SIZE, 4096}, {DOORBELLS, 8192 + 4096},  {DOORBELLS, 0},
		{DOORBELLS + 4, 4096},          {DOORBELLS, 100}, {UINT64_MAX - 4095, 4096},
	};

	lie_areas = 1;
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		lie = bar;
		lie_area = areas[i];
		check_not_mapped();
	}
	/* Their sum wraps. */
	lie.size = UINT64_MAX;
	lie.offset = 4096;
	lie_area = (struct vfu_sparse_area){0, UINT64_MAX - 4095};
	check_not_mapped();
	lie = bar;
	/* Within the region, behind the end of the file: a store would be a SIGBUS. */
	lie_area = (struct vfu_sparse_area){DOORBELLS + 4096, 4096};
	check_not_mapped();
	lie_area = (struct vfu_sparse_area){DOORBELLS, 4096};
	lie.offset = UINT64_MAX - 4095;
	check_not_mapped();
}

TEST(capabilities_that_lead_in_circles_or_nowhere_have_an_end)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	static const uint32_t nexts[] = {32, 33, 0xfffffff0, 64, 8};

	lie = (struct vfu_region_info){.flags = VFU_REGION_FLAG_MMAP | VFU_REGION_FLAG_CAPS, .size = BAR_SIZE};
	lie_area = (struct vfu_sparse_area){DOORBELLS, 4096};
	lie_areas = UINT32_MAX;
	for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
		lie.cap_offset = 32;
		lie_next = nexts[i];
		start(lie_about_bar);
		if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
			CHECK(pci->ops->bar_map(pci, 0, DOORBELLS, 4));
			pci->ops->close(pci);
		}
		stop();
	}
	lie_next = 0;
}

/* ---- what the device asks ---- */

static struct vfu_header asked_header; /* the reply to what it asked */
static struct vfu_dma_access asked_access;
static uint64_t asked_address;
static uint64_t asked_count;
static uint16_t asked_command;
static uint32_t asked_flags;
static char asked_data[64];

/* Ask something, take the reply, and only then answer. */
static bool ask_first(struct message *message)
{
	struct vfu_dma_access access = {asked_address, asked_count};
	struct vfu_header header = {.id = 0x4242, .command = asked_command, .flags = asked_flags};
	uint8_t payload[sizeof(access) + 16] = {0};
	size_t length = sizeof(access) + (asked_command == VFU_DMA_WRITE ? 16 : 0);
	struct message reply;

	memcpy(payload, &access, sizeof(access));
	memcpy(payload + sizeof(access), "from the device", 16);
	header.size = (uint32_t)(sizeof(header) + length);
	send_all_of(&header, payload, length, &fake.doorbell_file, 1);
	if (!(asked_flags & VFU_FLAGS_NO_REPLY)) {
		receive(&reply);
		asked_header = reply.header;
		memcpy(&asked_access, reply.payload, sizeof(asked_access));
		memcpy(asked_data, reply.payload + sizeof(asked_access), sizeof(asked_data));
	}
	behave(message);
	return true;
}

static void ask(uint16_t command, uint32_t flags, const void *address, uint64_t count)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint32_t value;
	int before;

	asked_command = command;
	asked_flags = flags;
	asked_address = (uintptr_t)address;
	asked_count = count;
	memset(&asked_header, 0, sizeof(asked_header));
	start(NULL);
	if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
		fake.hook = ask_first;
		before = count_descriptors();
		CHECK_EQ(pci->ops->bar_read(pci, 0, &value, 4, &err), 0);
		CHECK_EQ(count_descriptors(), before);
		fake.hook = NULL;
		pci->ops->close(pci);
	}
	stop();
}

TEST(a_device_may_read_and_write_dma_memory_by_message)
{
	char *memory = pyn_dma_alloc(4096, 4096, NULL);

	if (!CHECK(memory))
		return;
	strcpy(memory, "from the host");
	ask(VFU_DMA_READ, 0, memory, 16);
	CHECK_EQ(asked_header.id, 0x4242);
	CHECK_EQ(asked_header.flags, VFU_FLAGS_REPLY);
	CHECK_EQ(asked_header.size, 16 + 16 + 16);
	CHECK_EQ(asked_access.count, 16);
	CHECK_STR(asked_data, "from the host");

	ask(VFU_DMA_WRITE, 0, memory, 16);
	CHECK_EQ(asked_header.size, 16 + 16);
	CHECK_STR(memory, "from the device");

	memory[0] = '\0';
	ask(VFU_DMA_WRITE, VFU_FLAGS_NO_REPLY, memory, 16);
	CHECK_STR(memory, "from the device");
	pyn_dma_free(memory);
}

static void check_refused(void)
{
	CHECK_EQ(asked_header.id, 0x4242);
	CHECK_EQ(asked_header.flags, VFU_FLAGS_REPLY | VFU_FLAGS_ERROR);
	CHECK_EQ(asked_header.size, 16);
	CHECK(asked_header.error);
}

TEST(a_device_that_asks_for_other_memory_gets_an_error)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);
	char *end = (char *)regions[count - 1].address + regions[count - 1].length;
	char secret[16] = "a secret";

	ask(VFU_DMA_READ, 0, secret, sizeof(secret));
	check_refused();
	ask(VFU_DMA_WRITE, 0, secret, 16);
	check_refused();
	CHECK_STR(secret, "a secret");
	ask(VFU_DMA_READ, 0, end - 8, 16);
	check_refused();
	ask(VFU_DMA_READ, 0, (char *)regions[0].address, UINT64_MAX);
	check_refused();
	ask(VFU_DMA_READ, 0, (char *)regions[0].address, VFU_MAX_DATA + 1);
	check_refused();
	/* The data that came are 16 bytes. */
	ask(VFU_DMA_WRITE, 0, (char *)regions[0].address, 17);
	check_refused();
	ask(VFU_DEVICE_FEATURE, 0, NULL, 0);
	check_refused();
}

/* ---- nonsense ---- */

static bool add_noise(struct message *message)
{
	/* A little of it: a device that stumbles at its first word shows nothing of what comes behind. */
	static uint32_t seed = 1;

	(void)message;
	fake.noise = noise_next() % 3 == 0 ? ++seed * 2654435761u : 0;
	return false;
}

TEST(random_answers_open_or_fail_and_leave_nothing_behind)
{
	unsigned opened = 0, rounds = 400;
	int before;

	CHECK_EQ(pyn_env_start(NULL), 0);
	before = count_descriptors();
	for (unsigned i = 0; i < rounds; i++) {
		struct pyn_pci *pci = NULL;
		struct pyn_error err = {0};
		uint32_t value;

		start(add_noise);
		fake.noise = i;
		if (open_at(fake.folder, &pci, &err) == 0) {
			opened++;
			pci->ops->bar_read(pci, 0x1c, &value, 4, &err);
			pci->ops->close(pci);
		} else {
			CHECK(err.kind == PYN_ERROR_ENUMERATE && err.text[0]);
		}
		stop();
	}
	CHECK(opened > 0 && opened < rounds);
	CHECK_EQ(count_descriptors(), before);
}
