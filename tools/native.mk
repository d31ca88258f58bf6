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
# For `module` setup.py says which Python it is for: TAG, INCLUDE, MODULE_C, MODULE. For a wheel it says GLIBC, and
# LINKED, the folder of what that changes.

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

# A function without a declaration returns garbage, so that is an error everywhere.
WARNINGS := -Wall -Wextra -Wvla -Wpointer-arith -Wstrict-prototypes -Werror=implicit-function-declaration \
	    $(if $(WERROR),-Werror)
CFLAGS_ALL := -std=gnu11 -g -pthread -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections \
	      -fno-strict-aliasing -I. -ffile-prefix-map=$(CURDIR)/= $(CFLAGS_$(VARIANT)) $(CFLAGS)
LDFLAGS_ALL := -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

DPDK_CFLAGS = $(shell pkg-config --cflags libdpdk)

# DPDK, linked statically. pkg-config names its archives and the linker takes from them, member by member, what the EAL
# needs, so --whole-archive, which brings every network driver in, is left out. Of the other libraries those that are
# there are offered, and only those that are used are linked: usually none. A distribution that has no archives of DPDK
# gets its shared libraries. Some calls of the EAL go through core/env: eal_quiet.c, libraries.c.
pkg_config = $(shell pkg-config $(1) libdpdk)
there = $(foreach lib,$(1),$(if $(filter /%,$(shell $(CC) -print-file-name=$(lib:-l%=lib%.so))),$(lib)))
DPDK_DIR = $(call pkg_config,--variable=libdir)
DPDK_ARCHIVES = $(wildcard $(sort $(patsubst -l:%,$(DPDK_DIR)/%,$(filter -l:librte_%.a,$(call pkg_config,--static --libs)))))
DPDK_OTHERS = $(call there,$(sort $(filter-out -lrte_% -l:%,$(filter -l%,$(call pkg_config,--static --libs)))))
DPDK_LIBS = $(addprefix -Wl$(comma)--wrap=,$(WRAPPED)) -Wl,--as-needed \
	    $(if $(DPDK_ARCHIVES),-Wl$(comma)--start-group $(DPDK_ARCHIVES) -Wl$(comma)--end-group $(DPDK_OTHERS), \
	    $(call pkg_config,--libs)) -Wl,--no-as-needed
WRAPPED := access rte_eal_check_module mkdir __rte_panic numa_available numa_allocate_nodemask numa_bitmask_free \
	   numa_set_localalloc numa_set_preferred get_mempolicy set_mempolicy strlcpy
comma := ,

SPEC := $(wildcard spec/*.c)
CORE := $(sort $(shell find core -name '*.c')) $(SPEC)

# The worker's loop is compiled twice, the second time for processors with AVX2 and BMI: a tenth fewer instructions.
# Compilers before GCC 12 lack the target, or the question which processor this is.
KNOWS_V3 := $(shell echo 'int is_v3(void) { return __builtin_cpu_supports("x86-64-v3"); }' | \
	      $(CC) -march=x86-64-v3 -x c -fsyntax-only - 2>/dev/null && echo yes)
LOOP := $(OUT)/obj/core/worker/worker_loop
linked = $(1) $(if $(KNOWS_V3),$(if $(filter $(LOOP).o,$(1)),$(LOOP).v3.o))
UTIL := $(wildcard core/util/*.c) $(SPEC)
VSSD := $(sort $(shell find vssd -name '*.c'))

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $(2)")

.PHONY: vssd bare module c-tests
.DELETE_ON_ERROR:

# Links $(1) by $(2). GLIBC=2.31: so that it runs with that one too, as far as tools/older_glibc.py knows how.
link = $(CC) $(2) -o $(1) $(if $(GLIBC),&& $(PYTHON) tools/older_glibc.py $(GLIBC) $(CC) $(1) >$(1).S && \
	$(CC) $(1).S $(2) $(OLDER_LIBS) -o $(1))
OLDER_LIBS := -Wl,--no-as-needed -l:libpthread.so.0 -l:libdl.so.2

LINKED ?= $(OUT)

vssd: $(LINKED)/vssd
bare: $(OUT)/bare
c-tests: $(OUT)/tests/c/.all

$(LINKED)/vssd: $(patsubst %.c,$(OUT)/obj/%.o,$(VSSD) $(UTIL))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(call link,$@,$(LDFLAGS_ALL) $^ -lm)

$(OUT)/bare: $(OUT)/obj/tools/bench/bare.o $(OUT)/obj/core/util/crc32c.o
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

# ---- the module ----

module: $(MODULE)

ifdef MODULE
# Generated code: of its warnings those count that tell of a declaration in cspdk.pxd that is wrong. -O3 and full debugging
# information would double the time that it takes.
WRONG_CALLS := -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=implicit-function-declaration

$(OUT)/$(TAG)/nvme.o: $(MODULE_C)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -O3 -g,$(CFLAGS_ALL)) -O2 -g1 $(WRONG_CALLS) -isystem $(INCLUDE) -MMD -MP -c -o $@ $<

$(MODULE): $(OUT)/$(TAG)/nvme.o $(call linked,$(patsubst %.c,$(OUT)/obj/%.o,$(CORE))) tools/module.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(call link,$@,-shared $(LDFLAGS_ALL) $(LDFLAGS_MODULE) $(filter %.o,$^) $(DPDK_LIBS))
	$(Q)$(call loads,$@)

LDFLAGS_MODULE := -Wl,--version-script=tools/module.map -Wl,--exclude-libs,ALL -Wl,-z,now

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

compile = $(CC) $(CFLAGS_ALL) $(WARNINGS) $(EXTRA) $(FLAGS) -MMD -MP -c -o $@ $<

$(OUT)/obj/%.o: %.c tools/native.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(compile)

$(LOOP).v3.o: EXTRA := -march=x86-64-v3 -DPYN_WORKER_LOOP=pyn_worker_loop_v3
$(LOOP).v3.o: core/worker/worker_loop.c tools/native.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(compile)

$(OUT)/obj/core/worker/worker_run.o: EXTRA := $(if $(KNOWS_V3),-DPYN_WORKER_HAS_V3)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
