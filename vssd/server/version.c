/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spec/vfio_user.h"
#include "vssd/server/json.h"

#define MAJOR 0
#define MINOR_MAX 2

static int take_number(struct vssd_json value, uint32_t most, uint32_t *number)
{
	uint64_t found;

	if (!vssd_json_number(value, &found))
		return -EINVAL;
	*number = found < most ? (uint32_t)found : most;
	return 0;
}

/* Get the capabilities from the JSON object; ignore unknown keys. */
static int take_capabilities(struct vssd_json json, struct vssd_capabilities *capabilities)
{
	struct vssd_json object, value;

	if (!vssd_json_is_object(json))
		return -EINVAL;
	if (!vssd_json_member(json, "capabilities", &object))
		return 0;
	if (!vssd_json_is_object(object))
		return -EINVAL;
	if (vssd_json_member(object, "max_msg_fds", &value) &&
	    take_number(value, VFU_MAX_FDS, &capabilities->max_fds) != 0)
		return -EINVAL;
	if (vssd_json_member(object, "max_data_xfer_size", &value) &&
	    take_number(value, VFU_MAX_DATA, &capabilities->max_data) != 0)
		return -EINVAL;
	return capabilities->max_data > 0 ? 0 : -EINVAL;
}

/* Write the JSON of the reply with its terminating NUL. Returns the length; 0: it does not fit into room bytes. */
static size_t put_json(uint8_t *to, size_t room)
{
	char text[VSSD_VERSION_REPLY_MAX];
	int length = snprintf(text, sizeof(text), "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%u}}",
			      VFU_MAX_FDS, VFU_MAX_DATA);

	if ((size_t)length >= room)
		length = snprintf(text, sizeof(text), "{\"capabilities\":{}}");
	if ((size_t)length >= room)
		return 0;
	memcpy(to, text, (size_t)length + 1);
	return (size_t)length + 1;
}

int vssd_version_negotiate(const uint8_t *request, size_t length, struct vssd_capabilities *capabilities,
			   uint8_t reply[static VSSD_VERSION_REPLY_MAX])
{
	const char *text = (const char *)request + sizeof(struct vfu_version);
	size_t room = length - sizeof(struct vfu_version);
	struct vssd_json object = {text, text + strnlen(text, room)};
	struct vfu_version version;

	memcpy(&version, request, sizeof(version));
	if (version.major != MAJOR || (room > 0 && text[room - 1] != '\0'))
		return -EINVAL;
	*capabilities = (struct vssd_capabilities){.max_fds = 1, .max_data = VFU_MAX_DATA};
	if (object.end > object.begin && take_capabilities(object, capabilities) != 0)
		return -EINVAL;

	if (version.minor > MINOR_MAX)
		version.minor = MINOR_MAX;
	memcpy(reply, &version, sizeof(version));
	return (int)(sizeof(version) + put_json(reply + sizeof(version), room));
}
