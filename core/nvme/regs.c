/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/regs.h"

#include <errno.h>
#include <time.h>

#include "core/util/clock.h"

#define PAUSE_FIRST_NS 20000
#define PAUSE_LAST_NS 1000000

static int gone(uint32_t offset, struct pyn_error *err)
{
	return pyn_error(
		err, PYN_ERROR_GONE, ENODEV,
		"the register at 0x%x reads all ones: the device is gone, has no power, or its memory space is off",
		offset);
}

int pyn_reg_write32(struct pyn_pci *pci, uint32_t offset, uint32_t value, struct pyn_error *err)
{
	return pci->ops->bar_write(pci, offset, &value, sizeof(value), err);
}

int pyn_reg_write64(struct pyn_pci *pci, uint32_t offset, uint64_t value, struct pyn_error *err)
{
	return pci->ops->bar_write(pci, offset, &value, sizeof(value), err);
}

int pyn_reg_read32(struct pyn_pci *pci, uint32_t offset, uint32_t *value, struct pyn_error *err)
{
	int rc = pci->ops->bar_read(pci, offset, value, sizeof(*value), err);

	if (!rc && *value == UINT32_MAX)
		rc = gone(offset, err);
	return rc;
}

int pyn_reg_read64(struct pyn_pci *pci, uint32_t offset, uint64_t *value, struct pyn_error *err)
{
	int rc = pci->ops->bar_read(pci, offset, value, sizeof(*value), err);

	if (!rc && *value == UINT64_MAX)
		rc = gone(offset, err);
	return rc;
}

int pyn_csts_wait(struct pyn_pci *pci, uint32_t mask, uint32_t wanted, bool fatal, uint32_t timeout_ms,
		  uint32_t *csts, struct pyn_error *err)
{
	uint64_t deadline = pyn_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;
	struct timespec pause = {.tv_nsec = PAUSE_FIRST_NS};

	for (;;) {
		/* Read the clock before CSTS: the process may have slept past the deadline, while the device was in
		 * time. */
		bool late = pyn_monotonic_ns() >= deadline;
		int rc = pyn_reg_read32(pci, NVME_REG_CSTS, csts, err);

		if (rc || (*csts & mask) == wanted)
			return rc;
		if (fatal && NVME_GET(*csts, NVME_CSTS_CFS))
			return pyn_error(err, PYN_ERROR_ENUMERATE, EIO,
					 "the controller reports a fatal status (CSTS %#010x, CFS = 1)", *csts);
		if (late)
			return pyn_error(err, PYN_ERROR_TIMEOUT, ETIMEDOUT, "CSTS is still %#010x after %u ms", *csts,
					 timeout_ms);
		nanosleep(&pause, NULL);
		pause.tv_nsec = pause.tv_nsec * 2 < PAUSE_LAST_NS ? pause.tv_nsec * 2 : PAUSE_LAST_NS;
	}
}
