# SPDX-License-Identifier: BSD-3-Clause
#
# Finds SPDK, whose driver is pynvme's second engine (spdk/README.md). Included by the Makefile and tools/native.mk.
# SPDK is linked if pkg-config finds these packages and their archives. PYNVME_SPDK=0 leaves it out.

SPDK_PACKAGES := spdk_nvme spdk_env_dpdk spdk_syslibs
PYNVME_SPDK ?= 1
export PYNVME_SPDK

spdk_asks = $(shell pkg-config $(1) $(SPDK_PACKAGES) 2>/dev/null)
SPDK_WORDS := $(if $(filter-out 0,$(PYNVME_SPDK)),$(call spdk_asks,--static --libs))
SPDK_DIRS := $(patsubst -L%,%,$(filter -L%,$(SPDK_WORDS)))
# The archive of a library $(1). Shared libraries may lie beside the archives, so an archive is linked by its path.
spdk_archive = $(firstword $(wildcard $(addsuffix /lib$(1).a,$(SPDK_DIRS))))

# Why SPDK is not linked although pkg-config knows it; empty if it is linked, or not there at all.
SPDK_MISSES := $(if $(SPDK_WORDS),$(foreach lib,spdk_nvme spdk_env_dpdk rte_eal,\
	       $(if $(call spdk_archive,$(lib)),,lib$(lib).a)))
HAS_SPDK := $(if $(SPDK_WORDS),$(if $(strip $(SPDK_MISSES)),,yes))

# Changes if another SPDK is found, or none, so that what depends on it is built again.
SPDK_STAMP := build/.spdk
SPDK_FOUND := $(if $(HAS_SPDK),$(SPDK_WORDS),none)
$(shell mkdir -p build; [ "$$(cat $(SPDK_STAMP) 2>/dev/null)" = "$(SPDK_FOUND)" ] || echo "$(SPDK_FOUND)" >$(SPDK_STAMP))
