/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/util/address.c core/pci/kernel.c core/util/error.c */
#include "core/util/address.h"
#include "core/pci/kernel.h"
#include "tests/c/test.h"

#include <errno.h>

static void check_function(const char *text, const char *expected)
{
	struct pyn_address address = {0};
	struct pyn_error err = {0};

	CHECK_EQ(pyn_address_parse(text, &address, &err), 0);
	CHECK_EQ(address.kind, PYN_ADDRESS_FUNCTION);
	CHECK_STR(address.text, expected);
}

static void check_refused(const char *text, const char *why)
{
	struct pyn_address address;
	struct pyn_error err = {0};

	if (!CHECK(pyn_address_parse(text, &address, &err) < 0))
		printf("    %s\n", text);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, why);
}

TEST(bdfs_get_their_domain_and_lower_case)
{
	check_function("01:00.0", "0000:01:00.0");
	check_function("0000:01:00.0", "0000:01:00.0");
	check_function("FE:1F.7", "0000:fe:1f.7");
	check_function("10000:e1:00.0", "10000:e1:00.0");
	check_function("1:0.0", "0000:01:00.0");
}

TEST(bdfs_out_of_range_say_what_the_range_is)
{
	check_refused("01:20.0", "devices to 1f");
	check_refused("01:00.8", "functions to 7");
	check_refused("0000:01:ff.0", "devices to 1f");
	check_refused("100:00.0", "buses go to ff");
}

TEST(anything_with_a_slash_is_a_path)
{
	static const char *const paths[] = {"/run/vssd", "./vssd", "a/b", "/", "/tmp/01:00.0", "./127.0.0.1"};
	struct pyn_address address;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CHECK_EQ(pyn_address_parse(paths[i], &address, NULL), 0);
		CHECK_EQ(address.kind, PYN_ADDRESS_SOCKET);
		CHECK_STR(address.text, paths[i]);
	}
}

static void check_tcp(const char *text)
{
	struct pyn_address address;
	struct pyn_error err = {0};

	CHECK_EQ(pyn_address_parse(text, &address, &err), 0);
	CHECK_EQ(address.kind, PYN_ADDRESS_TCP);
	CHECK_STR(address.text, text);
	CHECK_EQ(pyn_address_refuse(&address, &err), -ENOTSUP);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, "NVMe/TCP");
	CHECK_HAS(err.text, text);
}

TEST(nvme_over_tcp_is_known_and_refused)
{
	check_tcp("tcp://10.1.2.3:4420");
	check_tcp("tcp://drive-7.lab.example:4420/nqn.2026-11.test:1");
	check_tcp("127.0.0.1");
	check_tcp("10.1.2.3:4420");
	check_tcp("localhost:4420");
	check_tcp("drive-7.lab.example:4420");
	check_tcp("[::1]:4420");
	check_tcp("[fe80::1]");
}

TEST(a_private_virtual_ssd_is_known_and_left_to_python)
{
	static const char *const texts[] = {"vssd", "vssd:", "vssd:size=1G,name=a", "vssd:path=/tmp/a"};
	struct pyn_address address;
	struct pyn_error err = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK_EQ(pyn_address_parse(texts[i], &address, &err), 0);
		CHECK_EQ(address.kind, PYN_ADDRESS_PRIVATE);
		CHECK_EQ(pyn_address_refuse(&address, &err), -ENOTSUP);
		CHECK_HAS(err.text, "only Python");
	}
}

TEST(everything_else_is_no_device)
{
	check_refused("", "empty");
	check_refused("nvme0", "no device is named nvme0");
	check_refused("vssdx", "no device is named vssdx");
	check_refused("256.0.0.1", "no device is named");
	check_refused("01:00.", "no device is named");
	check_refused("01:00.0.0", "no device is named");
	check_refused("01:00.0 ", "no device is named");
	check_refused("host:", "no device is named");
	check_refused("host:99999", "no device is named");
	check_refused("g1:00.0", "no device is named");
	check_refused("\xff\xfe", "no device is named");
}

TEST(long_addresses_are_refused_and_not_cut)
{
	char text[5000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	check_refused(text, "no device is named aaaa");
	text[0] = '/';
	check_refused(text, "4999 characters");
}

TEST(a_function_that_is_not_there_is_said_not_to_be)
{
	struct pyn_error err;

	CHECK_EQ(pyn_kernel_function_check("ffff:ff:1f.7", &err), -ENODEV);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_HAS(err.text, "no PCIe function ffff:ff:1f.7");
}
