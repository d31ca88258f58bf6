# SPDX-License-Identifier: BSD-3-Clause
#
# Compiles the C in parallel, and only what changed. setup.py calls it for the module and the virtual SSD, and
# tools/test.py for both test builds. By hand, from the root:
#
#     make -f tools/native.mk vssd                        build/release/vssd
#     make -f tools/native.mk bare                        build/release/bare, the limits that `make bench` shows
#     make -f tools/native.mk VARIANT=asan vssd c-tests   build/asan/vssd, build/asan/tests/c/test_*
#     make -f tools/native.mk WERROR=1 …                  treat warnings as errors
#
# For `module`, setup.py selects the Python by TAG, INCLUDE, MODULE_C and MODULE. For a wheel, it also sets GLIBC, and
# LINKED, the folder of the programs that are linked for that glibc.

VARIANT ?= release
PYTHON ?= python3
ifeq ($(origin CC),default)
CC := gcc
endif
OUT := build/$(VARIANT)

CFLAGS_release := -O3 -fno-plt
# -Og and -g1 take two thirds of the time of -O1 and -g to compile, and a report of ASan has its files and lines.
CFLAGS_asan := -Og -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -Wl,--gc-sections
LDFLAGS_asan := -fsanitize=address,undefined

# A call of a function without a declaration returns garbage, so it is always an error.
WARNINGS := -Wall -Wextra -Wvla -Wpointer-arith -Wstrict-prototypes -Werror=implicit-function-declaration \
	    $(if $(WERROR),-Werror)
CFLAGS_ALL := -std=gnu11 -g -pthread -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections \
	      -fno-strict-aliasing -I. -ffile-prefix-map=$(CURDIR)/= $(CFLAGS_$(VARIANT)) $(CFLAGS)
LDFLAGS_ALL := -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

include tools/spdk.mk

# A build with SPDK has one DPDK, that of SPDK: its own, beside whose archives its libdpdk.pc lies, or an installed one.
DPDK_PC := $(if $(HAS_SPDK),$(wildcard $(dir $(call spdk_archive,rte_eal))pkgconfig/libdpdk.pc))
DPDK := $(or $(DPDK_PC),libdpdk)
DPDK_CFLAGS = $(shell pkg-config --cflags $(DPDK))

# DPDK is linked statically. pkg-config names its archives, and the linker takes only the members that the EAL needs.
# Without --whole-archive it leaves every network driver out. Of the other libraries, the linker gets those that are
# installed, and links those that are used, usually none. If a distribution has no archives of DPDK, the shared
# libraries are linked. core/env/eal_quiet.c and libraries.c wrap some calls of the EAL.
pkg_config = $(shell pkg-config $(1) $(DPDK))
there = $(foreach lib,$(1),$(if $(filter /%,$(shell $(CC) -print-file-name=$(lib:-l%=lib%.so))),$(lib)))
DPDK_DIR = $(call pkg_config,--variable=libdir)
DPDK_ARCHIVES = $(wildcard $(sort $(patsubst -l:%,$(DPDK_DIR)/%,$(filter -l:librte_%.a,$(call pkg_config,--static --libs)))))
DPDK_OTHERS = $(call there,$(sort $(filter-out -lrte_% -l:%,$(filter -l%,$(call pkg_config,--static --libs)))))
DPDK_LIBS = $(addprefix -Wl$(comma)--wrap=,$(WRAPPED)) -Wl,--as-needed \
	    $(if $(DPDK_ARCHIVES),-Wl$(comma)--start-group $(DPDK_ARCHIVES) -Wl$(comma)--end-group $(DPDK_OTHERS), \
	    $(call pkg_config,--libs)) -Wl,--no-as-needed
WRAPPED := access rte_eal_check_module mkdir __rte_panic rte_ctrl_thread_create rte_thread_create_internal_control \
	   numa_available numa_allocate_nodemask numa_bitmask_free numa_set_localalloc numa_set_preferred get_mempolicy set_mempolicy strlcpy
comma := ,

# With SPDK, its archives and those of its DPDK. Drivers of memory pools and buses, and SPDK's transports, register
# themselves by constructors, which nothing refers to, so these archives are linked whole.
ifdef HAS_SPDK
SPDK_WHOLE := spdk_nvme rte_mempool_ring rte_bus_pci
SPDK_NAMES := $(patsubst -l%,%,$(filter -lspdk_% -lrte_%,$(SPDK_WORDS)))
spdk_archives = $(foreach lib,$(1),$(call spdk_archive,$(lib)))
# SPDK's package names libvfio-user, which only SPDK's targets use.
SPDK_OTHERS = $(call there,$(filter-out -lspdk_% -lrte_% -lvfio-user,$(filter -l%,$(SPDK_WORDS))))
SPDK_LIBS = $(addprefix -Wl$(comma)--wrap=,$(WRAPPED) $(WRAPPED_SPDK)) \
	    -Wl,--whole-archive $(call spdk_archives,$(SPDK_WHOLE)) -Wl,--no-whole-archive \
	    -Wl,--start-group $(call spdk_archives,$(filter-out $(SPDK_WHOLE),$(SPDK_NAMES))) \
	    $(filter %.a,$(SPDK_WORDS)) -Wl,--end-group -Wl,--as-needed $(SPDK_OTHERS) -Wl,--no-as-needed
endif
# The module says which processor its archives were compiled for, so that an older one raises an ImportError.
NEEDED_CPU = $(shell $(PYTHON) tools/isa.py \
	     $(if $(HAS_SPDK),$(call spdk_archives,spdk_nvme spdk_env_dpdk rte_eal),$(filter %/librte_eal.a,$(DPDK_ARCHIVES))))

# spdk/start.c, wire.c and no_threads.c, and core/env/eal.c, say why these calls are redirected.
WRAPPED_SPDK := spdk_mem_get_fd_and_offset spdk_vfio_user_setup spdk_vfio_user_release \
		spdk_vfio_user_pci_bar_access spdk_nvme_qpair_process_completions spdk_pci_event_listen \
		spdk_zmalloc spdk_free socket \
		rte_eal_alarm_set rte_eal_alarm_cancel rte_intr_callback_register \
		rte_intr_callback_unregister rte_intr_callback_unregister_sync \
		spdk_pci_register_error_handler spdk_pci_unregister_error_handler rte_memseg_walk

SPEC := $(wildcard spec/*.c)
CORE := $(sort $(shell find core -name '*.c')) $(SPEC) $(if $(HAS_SPDK),$(wildcard spdk/*.c))

# The worker's loop is compiled twice, the second time for processors with AVX2 and BMI, which saves a tenth of the
# instructions. Compilers before GCC 12 lack the target, or the test for such a processor.
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

# Link $(1) by $(2). With GLIBC=2.31, it also runs with that glibc, as far as tools/older_glibc.py can do that.
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
# In generated code, only warnings that show a wrong declaration in cspdk.pxd are errors. -O3 and full debugging
# information would double the time to compile it.
WRONG_CALLS := -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=implicit-function-declaration

$(OUT)/$(TAG)/nvme.o: $(MODULE_C)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -O3 -g,$(CFLAGS_ALL)) -O2 -g1 $(WRONG_CALLS) -isystem $(INCLUDE) -MMD -MP -c -o $@ $<

$(MODULE): $(OUT)/$(TAG)/nvme.o $(call linked,$(patsubst %.c,$(OUT)/obj/%.o,$(CORE))) tools/module.map \
	   $(SPDK_STAMP)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(call link,$@,-shared $(LDFLAGS_ALL) $(LDFLAGS_MODULE) $(filter %.o,$^) $(or $(SPDK_LIBS),$(DPDK_LIBS)) $(NEEDED_CPU))
	$(Q)$(call loads,$@)

LDFLAGS_MODULE := -Wl,--version-script=tools/module.map -Wl,--exclude-libs,ALL -Wl,-z,now

# The linker cannot refuse undefined names (--no-undefined), since the interpreter defines Python's. So load the module.
loads = $(PYTHON) tools/loads.py $(1)

-include $(OUT)/$(TAG)/nvme.d
endif

# ---- C tests: the comments at the top of each name the files to link with (tests/c/test.h) ----

C_TESTS := $(wildcard tests/c/test_*.c tests/c/*/test_*.c)

ifneq ($(filter c-tests $(OUT)/tests/%,$(MAKECMDGOALS)),)
include $(OUT)/tests.mk
endif

$(OUT)/tests.mk: $(C_TESTS) tools/c_tests.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/c_tests.py $(OUT) $(C_TESTS) >$@

$(OUT)/tests/c/.all: $(C_TESTS:%.c=$(OUT)/%)
	@touch $@

# A comment at the top may hold the pattern core/*/*.c, which the compiler takes for the start of a nested comment.
$(OUT)/obj/tests/%.o: EXTRA := -Wno-comment

$(C_TESTS:%.c=$(OUT)/%):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) $(if $(filter yes,$(WITH_DPDK)),$(DPDK_LIBS))

# ---- objects ----

# Only this folder may include DPDK's headers. Their flags contain -march, so nothing else is compiled with them.
$(OUT)/obj/core/env/%.o: EXTRA = $(DPDK_CFLAGS) -DALLOW_EXPERIMENTAL_API $(WITH_SPDK)

# Only that folder may include SPDK's. What depends on whether there is SPDK is compiled again if that changes.
WITH_SPDK := $(if $(HAS_SPDK),-DPYN_WITH_SPDK)
$(OUT)/obj/core/engine/engine.o: EXTRA = $(WITH_SPDK)
$(OUT)/obj/spdk/%.o: EXTRA = $(patsubst -I%,-isystem %,$(call spdk_asks,--cflags))
$(patsubst %.c,$(OUT)/obj/%.o,$(wildcard core/env/*.c spdk/*.c)) $(OUT)/obj/core/engine/engine.o: $(SPDK_STAMP)

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
