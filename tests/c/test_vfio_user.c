/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user: opening a device, using it, and telling what is there instead of one. */
/* sources: core/pci/*.c core/env/*.c core/util/*.c */
/* dpdk */
#define _GNU_SOURCE 1
#include <sys/wait.h>

#include "core/pci/vfio_user_connect.h"
#include "core/util/clock.h"
#include "core/util/fork.h"
#include "tests/c/fake_vfio_user.h"

/* Opening the device fails, says why, and leaves no descriptor behind. */
static void check_open_fails(bool (*hook)(struct message *message), const char *why)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci = NULL;
	int before;

	CHECK_EQ(pyn_env_start(NULL), 0);
	before = count_descriptors();
	start(hook);
	CHECK(open_at(fake.folder, &pci, &err) < 0);
	stop();
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, why);
	CHECK_EQ(count_descriptors(), before);
}

TEST(a_device_that_behaves_is_opened_and_closed_in_order)
{
	const struct pyn_dma_region *regions;
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	size_t count;
	int before;

	CHECK_EQ(pyn_env_start(NULL), 0);
	count = pyn_dma_regions(&regions);
	before = count_descriptors();
	start(NULL);
	if (!CHECK_EQ(open_at(fake.folder, &pci, &err), 0)) {
		printf("    %s\n", err.text);
		stop();
		return;
	}
	CHECK_EQ(pci->bar_size, BAR_SIZE);
	CHECK_EQ(pci->num_vectors, VECTORS);
	CHECK_EQ(fake.num_maps, count);
	CHECK_EQ(fake.sent_no_descriptor, false);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(fake.maps[i].address, pyn_dma_iova(regions[i].address).value);
		CHECK_EQ(fake.maps[i].size, regions[i].length);
		CHECK_EQ(fake.maps[i].flags, VFU_DMA_READABLE | VFU_DMA_WRITEABLE);
	}
	CHECK(pci->ops->alive(pci));
	pci->ops->close(pci);
	stop();
	CHECK_EQ(fake.num_unmaps, count);
	CHECK_EQ(count_descriptors(), before);
}

TEST(registers_configuration_doorbells_interrupts_and_resets_reach_the_device)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	volatile uint32_t *doorbell;
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint64_t value = 0;
	uint8_t bytes[CONFIG_SIZE];
	uint16_t control;

	start(NULL);
	if (!CHECK_EQ(open_at(fake.path, &pci, &err), 0))
		return;
	value = UINT64_C(0x1122334455667788);
	CHECK_EQ(pci->ops->bar_write(pci, 0x28, &value, 8, &err), 0);
	CHECK_MEM(fake.bar + 0x28, &value, 8);
	value = 0;
	CHECK_EQ(pci->ops->bar_read(pci, 0x2c, &value, 4, &err), 0);
	CHECK_EQ(value, 0x11223344);

	CHECK_EQ(pci->ops->config_read(pci, 0, bytes, sizeof(bytes), &err), 0);
	CHECK_MEM(bytes, fake.config, sizeof(bytes));
	CHECK_EQ(fake.config[PCI_CFG_COMMAND] & 6, 2);
	CHECK_EQ(pyn_pci_master_set(pci, true, &err), 0);
	CHECK_EQ(fake.config[PCI_CFG_COMMAND] & 6, 6);
	CHECK_EQ(pyn_pci_master_set(pci, false, &err), 0);
	CHECK_EQ(fake.config[PCI_CFG_COMMAND] & 6, 2);

	doorbell = pci->ops->bar_map(pci, 0, 0x1008, 4);
	if (CHECK(doorbell)) {
		*doorbell = 77;
		CHECK_EQ(fake.doorbells[2], 77);
	}
	CHECK(!pci->ops->bar_map(pci, 0, 0xffc, 4));
	CHECK(!pci->ops->bar_map(pci, 0, 0x1ffc, 8));
	CHECK(!pci->ops->bar_map(pci, 0, 0x2000, 4));

	CHECK_EQ(pci->ops->irq_set(pci, 3, event, &err), 0);
	CHECK_EQ(fake.vector, 3);
	CHECK_EQ(eventfd_write(fake.eventfd, 1), 0);
	CHECK_EQ(eventfd_read(event, &value), 0);
	memcpy(&control, fake.config + 0x72, sizeof(control));
	CHECK_EQ(control & 0x8000, 0x8000);
	CHECK_EQ(pci->ops->irq_set(pci, 3, -1, &err), 0);
	CHECK_EQ(fake.eventfd, -1);
	CHECK_EQ(pci->ops->irq_set(pci, VECTORS, event, &err), -EINVAL);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);

	CHECK_EQ(pci->ops->reset(pci, PYN_PCI_RESET_HOT, &err), 0);
	CHECK_EQ(fake.num_resets, 1);
	CHECK_EQ(pci->ops->reset(pci, PYN_PCI_RESET_FUNCTION, &err), 0);
	CHECK_EQ(fake.num_function_resets, 1);
	pci->ops->close(pci);
	stop();
	close(event);
}

/* As a kernel does it for its own devices; what the driver needs besides, it sets when it enables the controller. */
TEST(what_was_configured_outlives_resets_but_for_bus_mastering)
{
	static const enum pyn_pci_reset kinds[] = {PYN_PCI_RESET_HOT, PYN_PCI_RESET_FUNCTION};
	static const struct {
		uint32_t offset;
		uint16_t value;
	} set[] = {{0x0c, 0x10}, {0x10, 0xc004}, {0x12, 0xfebf}, {0x20, 0x8000}, {0x24, 0x9000},
		   {0x3c, 0x0b}, {0x58, 0x5936}, {0x60, 0x0043}, {0x72, 0xc004}, {0x78, 0x001f}};
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint16_t value;

	start(NULL);
	if (!CHECK_EQ(open_at(fake.folder, &pci, &err), 0))
		return;
	for (size_t kind = 0; kind < 2; kind++) {
		for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
			CHECK_EQ(pyn_pci_config_write16(pci, set[i].offset, set[i].value, &err), 0);
		CHECK_EQ(pyn_pci_config_write16(pci, PCI_CFG_COMMAND, PCI_COMMAND_BME | PCI_COMMAND_INTD, &err), 0);
		CHECK_EQ(pci->ops->reset(pci, kinds[kind], &err), 0);
		for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
			memcpy(&value, fake.config + set[i].offset, sizeof(value));
			CHECK_EQ(value, set[i].value);
		}
		memcpy(&value, fake.config + PCI_CFG_COMMAND, sizeof(value));
		CHECK_EQ(value, PCI_COMMAND_MSE | PCI_COMMAND_INTD);
	}
	CHECK_EQ(fake.num_resets + fake.num_function_resets, 2);
	pci->ops->close(pci);
	stop();
}

TEST(accesses_outside_of_a_space_are_errors_of_the_caller)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint64_t value = 0;

	start(NULL);
	if (!CHECK_EQ(open_at(fake.folder, &pci, &err), 0))
		return;
	CHECK_EQ(pci->ops->bar_read(pci, 2, &value, 4, &err), -EINVAL);
	CHECK_EQ(pci->ops->bar_read(pci, 4, &value, 8, &err), -EINVAL);
	CHECK_EQ(pci->ops->bar_read(pci, 0, &value, 2, &err), -EINVAL);
	CHECK_EQ(pci->ops->bar_read(pci, BAR_SIZE, &value, 4, &err), -EINVAL);
	CHECK_EQ(pci->ops->bar_write(pci, UINT32_MAX - 3, &value, 4, &err), -EINVAL);
	CHECK_EQ(pci->ops->config_read(pci, 4090, &value, 8, &err), -EINVAL);
	CHECK_EQ(pci->ops->config_write(pci, UINT32_MAX, &value, 8, &err), -EINVAL);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
	pci->ops->close(pci);
	stop();
}

TEST(a_forked_process_cannot_talk_to_the_device_and_does_not_disturb_it)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};
	uint32_t value;
	int status;
	pid_t pid;

	start(NULL);
	if (!CHECK_EQ(open_at(fake.folder, &pci, &err), 0))
		return;
	pid = pyn_fork();
	if (pid == 0)
		_exit(pci->ops->bar_read(pci, 0, &value, 4, &err) == -EPERM && err.kind == PYN_ERROR_STATE ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(pci->ops->bar_read(pci, 0, &value, 4, &err), 0);
	pci->ops->close(pci);
	stop();
}

static struct pyn_pci *the_pci;

/* Reads one register again and again: how often it was not what is in it. */
static void *read_register(void *context)
{
	uint32_t offset = *(uint32_t *)context, value;
	uintptr_t wrong = 0;

	for (int i = 0; i < 2000; i++)
		wrong += the_pci->ops->bar_read(the_pci, offset, &value, sizeof(value), NULL) || value != ~offset;
	return (void *)wrong;
}

TEST(threads_that_access_registers_at_once_get_each_its_own)
{
	static uint32_t offsets[4] = {0x00, 0x14, 0x1c, 0x1000};
	pthread_t threads[4];
	struct pyn_error err = {0};

	start(NULL);
	if (!CHECK_EQ(open_at(fake.folder, &the_pci, &err), 0))
		return;
	for (int i = 0; i < 4; i++) {
		uint32_t value = ~offsets[i];

		CHECK_EQ(the_pci->ops->bar_write(the_pci, offsets[i], &value, sizeof(value), &err), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, read_register, &offsets[i]);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		CHECK_EQ((uintptr_t)wrong, 0);
	}
	the_pci->ops->close(the_pci);
	stop();
}

/* ---- who is at the other end ---- */

static void check_no_device(const char *path, int number, const char *why)
{
	struct pyn_error err = {0};
	struct pyn_pci *pci;

	CHECK_EQ(open_at(path, &pci, &err), -number);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, why);
}

TEST(each_kind_of_path_without_a_device_has_its_own_sentence)
{
	char folder[] = "/tmp/pynvme-test-XXXXXX", path[300];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!CHECK(mkdtemp(folder)))
		return;
	check_no_device("/nowhere/at/all", ENOENT, "no socket at /nowhere/at/all");
	check_no_device(folder, ENOENT, "holds no socket `cntrl`");
	check_no_device("/dev/null", ENOTSOCK, "a device file of the kernel");
	check_no_device("/etc/passwd", ENOTSOCK, "a regular file");
	check_no_device("/etc/passwd/x", ENOTDIR, "no socket at");

	snprintf(path, sizeof(path), "%s/", folder);
	while (strlen(path) < 150)
		strcat(path, "./");
	check_no_device(path, ENAMETOOLONG, "a socket's may have 107");

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/cntrl", folder);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	check_no_device(folder, ECONNREFUSED, "nobody listens");
	unlink(address.sun_path);

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	check_no_device(folder, EPROTOTYPE, "another type");
	close(fd);
	unlink(address.sun_path);
	rmdir(folder);
}

static bool talk_http(struct message *message)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

	(void)message;
	send_bytes(text, sizeof(text) - 1);
	return true;
}

static bool speak_version_7(struct message *message)
{
	if (message->header.command != VFU_VERSION)
		return false;
	answer(message, &(struct vfu_version){7, 3}, sizeof(struct vfu_version));
	return true;
}

static bool speak_version_0_9(struct message *message)
{
	if (message->header.command != VFU_VERSION)
		return false;
	answer(message, &(struct vfu_version){0, 9}, sizeof(struct vfu_version));
	return true;
}

static bool speak_version_without_json(struct message *message)
{
	if (message->header.command != VFU_VERSION)
		return false;
	answer(message, &(struct vfu_version){0, 0}, sizeof(struct vfu_version));
	return true;
}

static bool take_no_descriptors(struct message *message)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\" : 0}}";

	if (message->header.command != VFU_VERSION)
		return false;
	answer(message, version, sizeof(version));
	return true;
}

TEST(a_busy_device_is_told_from_a_silent_one_and_from_no_device_at_all)
{
	check_open_fails(hang_up, "another client has it");
	check_open_fails(talk_http, "does not speak vfio-user");
	check_open_fails(speak_version_7, "version 7.3");
	check_open_fails(speak_version_0_9, "version 0.9");
	check_open_fails(take_no_descriptors, "too few");
}

TEST(a_silent_device_is_given_up_after_two_seconds)
{
	uint64_t before = pyn_monotonic_ns(), took;

	check_open_fails(say_nothing, "did not answer within 2000 ms");
	took = pyn_monotonic_ns() - before;
	CHECK(took >= UINT64_C(2000000000));
	CHECK_TIME(took < UINT64_C(10000000000));
}

TEST(a_version_without_json_is_enough)
{
	struct pyn_pci *pci = NULL;
	struct pyn_error err = {0};

	start(speak_version_without_json);
	if (CHECK_EQ(open_at(fake.folder, &pci, &err), 0))
		pci->ops->close(pci);
	stop();
}

static bool be_a_network_card(struct message *message)
{
	(void)message;
	config_put(PCI_CFG_REVISION, UINT32_C(0x020000) << 8);
	return false;
}

static bool have_no_bar(struct message *message)
{
	struct vfu_region_info info = {.argsz = sizeof(info)};

	if (message->header.command != VFU_DEVICE_GET_REGION_INFO)
		return false;
	answer(message, &info, sizeof(info));
	return true;
}

static bool be_no_pci_device(struct message *message)
{
	struct vfu_device_info info = {sizeof(info), 0, VFU_NUM_REGIONS, VFU_NUM_IRQS};

	if (message->header.command != VFU_DEVICE_GET_INFO)
		return false;
	answer(message, &info, sizeof(info));
	return true;
}

static bool refuse_dma(struct message *message)
{
	if (message->header.command != VFU_DMA_MAP)
		return false;
	refuse(message, ENOSPC);
	return true;
}

TEST(a_device_that_is_no_nvme_controller_is_not_opened)
{
	check_open_fails(be_a_network_card, "its class is 020000");
	check_open_fails(have_no_bar, "BAR 0 has 0 bytes");
	check_open_fails(be_no_pci_device, "not a PCI function");
	check_open_fails(refuse_dma, "refused DMA_MAP: No space left");
}

/* ---- VERSION's JSON ---- */

static uint64_t number_in(const char *json)
{
	return pyn_vfu_json_number(json, strlen(json), "max_msg_fds", 99);
}

TEST(a_number_is_found_in_json_and_nothing_else_is_taken_for_one)
{
	CHECK_EQ(number_in("{\"capabilities\":{\"max_msg_fds\":8}}"), 8);
	CHECK_EQ(number_in("{ \"capabilities\" : { \"max_msg_fds\"\t:\n 16 , \"x\":1}}"), 16);
	CHECK_EQ(number_in("{}"), 99);
	CHECK_EQ(number_in(""), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\":\"8\"}"), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\":-8}"), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\":null}"), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\""), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\":"), 99);
	CHECK_EQ(number_in("{\"max_msg_fds\":99999999999999999999999999}"), 999999999999999999);
	CHECK_EQ(pyn_vfu_json_number("{\"max_msg_fds\":123", 16, "max_msg_fds", 99), 1);
}
