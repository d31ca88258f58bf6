# SPDX-License-Identifier: BSD-3-Clause
#
# How the C is compiled: only what changed, in parallel. setup.py calls it for the module and the virtual SSD, and
# tools/test for both test builds. By hand, from the root:
#
#     make -f tools/native.mk vssd                        build/release/vssd
#     make -f tools/native.mk bare                        build/release/bare, the limits that `make bench` shows
#     make -f tools/native.mk VARIANT=asan vssd c-tests   build/asan/vssd, build/asan/tests/c/test_*
#     make -f tools/native.mk WERROR=1 …                  warnings are errors
#
# For `module` setup.py says which Python it is for: TAG, INCLUDE, MODULE_C, MODULE.

VARIANT ?= release
PYTHON ?= python3
ifeq ($(origin CC),default)
CC := gcc
endif
OUT := build/$(VARIANT)

CFLAGS_release := -O3 -fno-plt
CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -Wl,--gc-sections
LDFLAGS_asan := -fsanitize=address,undefined

WARNINGS := -Wall -Wextra -Wvla -Wpointer-arith -Wstrict-prototypes $(if $(WERROR),-Werror)
CFLAGS_ALL := -std=gnu11 -g -pthread -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections \
	      -fno-strict-aliasing -I. -ffile-prefix-map=$(CURDIR)/= $(CFLAGS_$(VARIANT)) $(CFLAGS)
LDFLAGS_ALL := -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

DPDK_CFLAGS = $(shell pkg-config --cflags libdpdk)

# DPDK, linked statically. pkg-config names its archives and the linker takes from them, member by member, what the EAL
# needs, so --whole-archive, which brings every network driver in, is left out. Of the other libraries those that are
# there are offered, and only the ones that are used are linked: libnuma, whose archive is not position-independent.
# -lc before libbsd.a: only what libc lacks (strlcpy) comes from it. A distribution that has no archives of DPDK gets its
# shared libraries. Some calls of the EAL go through core/env/sysfs.c and core/env/eal.c.
pkg_config = $(shell pkg-config $(1) libdpdk)
there = $(foreach lib,$(1),$(if $(filter /%,$(shell $(CC) -print-file-name=$(lib:-l%=lib%.so))),$(lib)))
DPDK_DIR = $(call pkg_config,--variable=libdir)
DPDK_ARCHIVES = $(wildcard $(sort $(patsubst -l:%,$(DPDK_DIR)/%,$(filter -l:librte_%.a,$(call pkg_config,--static --libs)))))
DPDK_OTHERS = $(call there,$(sort $(filter-out -lrte_% -l:% -lbsd,$(filter -l%,$(call pkg_config,--static --libs)))))
DPDK_STATIC = -Wl,--start-group $(DPDK_ARCHIVES) -Wl,--end-group -lc \
	      $(filter /%,$(shell $(CC) -print-file-name=libbsd.a)) -Wl,--as-needed $(DPDK_OTHERS) -Wl,--no-as-needed
DPDK_LIBS = -Wl,--wrap=access,--wrap=rte_eal_check_module,--wrap=mkdir,--wrap=__rte_panic \
	    $(if $(DPDK_ARCHIVES),$(DPDK_STATIC),-Wl,--as-needed $(call pkg_config,--libs) -Wl,--no-as-needed)

CORE := driver.c $(sort $(shell find core -name '*.c'))
UTIL := $(wildcard core/util/*.c)
VSSD := $(sort $(shell find vssd -name '*.c'))

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $(2)")

.PHONY: vssd bare module c-tests
.DELETE_ON_ERROR:

vssd: $(OUT)/vssd
bare: $(OUT)/bare
c-tests: $(OUT)/tests/c/.all

$(OUT)/vssd: $(patsubst %.c,$(OUT)/obj/%.o,$(VSSD) $(UTIL))
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lm

$(OUT)/bare: $(OUT)/obj/tools/bare.o $(OUT)/obj/core/io/crc32c.o
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

# ---- the module ----

module: $(MODULE)

ifdef MODULE
# Generated code: its warnings are Cython's. -O3 and full debugging information would double the time that it takes.
$(OUT)/$(TAG)/nvme.o: $(MODULE_C)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -O3 -g,$(CFLAGS_ALL)) -O2 -g1 -w -isystem $(INCLUDE) -MMD -MP -c -o $@ $<

$(MODULE): $(OUT)/$(TAG)/nvme.o $(patsubst %.c,$(OUT)/obj/%.o,$(CORE)) tools/module.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,--version-script=tools/module.map -Wl,--exclude-libs,ALL -Wl,-z,now \
		-o $@ $(filter %.o,$^) $(DPDK_LIBS)
	$(Q)$(call loads,$@)

# A linker cannot refuse undefined names here (--no-undefined), since Python's are in the interpreter: it has to load it.
loads = $(PYTHON) tools/loads.py $(1)

-include $(OUT)/$(TAG)/nvme.d
endif

# ---- C tests: what each is linked with stands in its head (tests/c/test.h) ----

C_TESTS := $(wildcard tests/c/test_*.c tests/c/*/test_*.c)

ifneq ($(filter c-tests $(OUT)/tests/%,$(MAKECMDGOALS)),)
include $(OUT)/tests.mk
endif

$(OUT)/tests.mk: $(C_TESTS) tools/c_tests.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/c_tests.py $(OUT) $(C_TESTS) >$@

$(OUT)/tests/c/.all: $(C_TESTS:%.c=$(OUT)/%)
	@touch $@

# A comment in the head may hold the pattern core/*/*.c, which the compiler takes for a comment within it.
$(OUT)/obj/tests/%.o: EXTRA := -Wno-comment

$(C_TESTS:%.c=$(OUT)/%):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) $(if $(filter yes,$(WITH_DPDK)),$(DPDK_LIBS))

# ---- objects ----

# The one folder that may include DPDK's headers; their flags bring -march along, and nothing else is compiled with it.
$(OUT)/obj/core/env/%.o: EXTRA = $(DPDK_CFLAGS) -DALLOW_EXPERIMENTAL_API

$(OUT)/obj/%.o: %.c tools/native.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) $(WARNINGS) $(EXTRA) $(FLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
