/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/address.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHOWN "%.60s" /* as much of an address as an error repeats */

#define FORMS "a PCIe function is named like 01:00.0 or 0000:01:00.0, a vfio-user device by its path"

#define PRIVATE "vssd"
#define TCP "tcp://"

#define DEVICES 0x20u  /* on a bus */
#define FUNCTIONS 0x8u /* of a device */

/* Read one to max hexadecimal digits into *value, and move *text past them. */
static bool take_hex(const char **text, unsigned max, unsigned *value)
{
	unsigned count = 0;

	*value = 0;
	for (; count < max && isxdigit((unsigned char)**text); count++, (*text)++) {
		int digit = tolower((unsigned char)**text);

		*value = *value << 4 | (unsigned)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
	}
	return count > 0;
}

static bool take(const char **text, char expected)
{
	if (**text != expected)
		return false;
	(*text)++;
	return true;
}

struct bdf {
	unsigned domain, bus, device, function;
};

/* Whether text is [domain:]bus:device.function and nothing more. bdf_in_range checks the numbers. */
static bool looks_like_bdf(const char *text, struct bdf *bdf)
{
	unsigned first, second;

	*bdf = (struct bdf){0};
	if (!take_hex(&text, 8, &first) || !take(&text, ':') || !take_hex(&text, 2, &second))
		return false;
	if (take(&text, ':')) {
		bdf->domain = first;
		bdf->bus = second;
		if (!take_hex(&text, 2, &second))
			return false;
	} else {
		bdf->bus = first;
	}
	bdf->device = second;
	return take(&text, '.') && take_hex(&text, 1, &bdf->function) && !*text;
}

/* Skip one to max decimal digits. false: there is none, or their value is above limit. */
static bool take_decimal(const char **text, unsigned max, unsigned limit)
{
	unsigned count = 0, value = 0;

	for (; count < max && isdigit((unsigned char)**text); count++, (*text)++)
		value = value * 10 + (unsigned)(**text - '0');
	return count > 0 && value <= limit;
}

static bool port_or_nothing(const char *text)
{
	return !*text || (take(&text, ':') && take_decimal(&text, 5, 65535) && !*text);
}

static bool looks_like_ipv4(const char *text)
{
	for (int i = 0; i < 4; i++) {
		if ((i && !take(&text, '.')) || !take_decimal(&text, 3, 255))
			return false;
	}
	return port_or_nothing(text);
}

/* name:port, [IPv6]:port, [IPv6] */
static bool looks_like_host(const char *text)
{
	bool bracket = take(&text, '[');
	const char *start = text;

	while (isalnum((unsigned char)*text) || *text == '-' || *text == '.' || (bracket && *text == ':'))
		text++;
	if (text == start || (bracket && !take(&text, ']')))
		return false;
	return (bracket || *text) && port_or_nothing(text);
}

static bool bdf_in_range(const struct bdf *bdf)
{
	return bdf->bus <= 0xff && bdf->device < DEVICES && bdf->function < FUNCTIONS;
}

/* Store the text unchanged. */
static int keep(enum pyn_address_kind kind, const char *text, struct pyn_address *address, struct pyn_error *err)
{
	if (strlen(text) >= sizeof(address->text))
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENAMETOOLONG,
				 "the path " SHOWN
				 "… has %zu characters, more than a socket's may have: use a shorter one",
				 text, strlen(text));
	address->kind = kind;
	memcpy(address->text, text, strlen(text) + 1);
	return 0;
}

static int keep_bdf(const char *text, const struct bdf *bdf, struct pyn_address *address, struct pyn_error *err)
{
	if (!bdf_in_range(bdf))
		return pyn_error(err, PYN_ERROR_ENUMERATE, EINVAL,
				 SHOWN " is no PCIe address: buses go to ff, devices to 1f, functions to 7", text);
	address->kind = PYN_ADDRESS_FUNCTION;
	snprintf(address->text, sizeof(address->text), "%04x:%02x:%02x.%x", bdf->domain, bdf->bus, bdf->device,
		 bdf->function);
	return 0;
}

static bool is_private(const char *text)
{
	return strncmp(text, PRIVATE, strlen(PRIVATE)) == 0 &&
	       (!text[strlen(PRIVATE)] || text[strlen(PRIVATE)] == ':');
}

int pyn_address_parse(const char *text, struct pyn_address *address, struct pyn_error *err)
{
	struct bdf bdf;

	if (is_private(text)) {
		*address = (struct pyn_address){.kind = PYN_ADDRESS_PRIVATE};
		return 0;
	}
	if (strncmp(text, TCP, strlen(TCP)) == 0)
		return keep(PYN_ADDRESS_TCP, text, address, err);
	if (strchr(text, '/'))
		return keep(PYN_ADDRESS_SOCKET, text, address, err);
	if (looks_like_bdf(text, &bdf))
		return keep_bdf(text, &bdf, address, err);
	if (looks_like_ipv4(text) || looks_like_host(text))
		return keep(PYN_ADDRESS_TCP, text, address, err);
	if (!*text)
		return pyn_error(err, PYN_ERROR_ENUMERATE, EINVAL, "the address is empty; " FORMS);
	return pyn_error(err, PYN_ERROR_ENUMERATE, EINVAL, "no device is named " SHOWN "; " FORMS, text);
}

int pyn_address_refuse(const struct pyn_address *address, struct pyn_error *err)
{
	switch (address->kind) {
	case PYN_ADDRESS_TCP:
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
				 SHOWN
				 " is the address of an NVMe/TCP target, and this build has no such engine; " FORMS,
				 address->text);
	case PYN_ADDRESS_PRIVATE:
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
				 "only Python starts a private virtual SSD (" PRIVATE "); " FORMS);
	default:
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
				 "the engine in use does not reach " SHOWN "; " FORMS, address->text);
	}
}
