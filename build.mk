# SPDX-License-Identifier: MIT
#
# What depends on what. build.sh is the entry: it installs, fetches, writes build/gen/version.h and calls make
# with this file; run from the root of the project, with SETS of its own below.
#
# Everything is compiled several times, each into its own folder under build/:
#   musl   what ships: musl-gcc, static-pie, hardened            -> build/proxy
#   asan   glibc, gcc with ASan and UBSan                        -> build/asan/proxy, the unit tests
#   fuzz   glibc, clang with libFuzzer, ASan and UBSan           -> the fuzz targets
#   ct     glibc, gcc as for what ships                          -> the check of constant time, run by valgrind
# and for other machines, each by its name in deps/targets:
#   TARGET musl, Debian's gcc for it, mostly the flags of what ships    -> build/TARGET/proxy, unit tests that QEMU runs
#
# Sources are found by wildcard, in the folders of the design and in its order; a new file needs no line here.

SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

B := build
# The system that builds, as deps/targets calls it: uname would tell of a 64-bit kernel that has a 32-bit system.
OWN_TARGET := $(shell awk -v a="$$(dpkg --print-architecture)" '$$6 == a { print $$1 }' deps/targets)
FOLDERS := base crypto net tls conn http conf certs acme relay admin

# V=1 shows the commands.
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n'
endif

.PHONY: proxy asan units fuzzers FORCE
proxy: $(B)/proxy
asan: $(B)/asan/proxy
FORCE:

# $(call changed,FILE,TEXT): FILE holds TEXT and is as old as TEXT is, so that whatever depends on FILE is made
# anew when TEXT (flags, a list of files) changes.
changed = printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(1) || \
          { mkdir -p $(dir $(1)); printf '%s\n' '$(subst ','\'',$(2))' >$(1); }

# ---- flags ----------------------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla
PATHMAP := '-ffile-prefix-map=$(CURDIR)=.'
# What is shipped must fit a router's flash: the path of a request and of a record is made fast, arithmetic faster (its
# loops may be unrolled and aligned), and all else small. Builds with sanitizers have an -O1 of their own.
FASTEST := $(filter-out $(foreach f,bench ec ecdsa_p256 hkdf impl p256 rsa rsa_m64,crypto/$(f).c),$(wildcard crypto/*.c)) \
           $(foreach d,ec/ec_c25519 ec/ec_p256 hash/ghash hash/sha2small int symcipher,bearssl/src/$(d)%)
FAST := $(foreach f,bytes mem memcpy,base/$(f).c) conn/conn.c $(foreach f,h1_body h1_meaning h1_parse h1_write head,http/$(f).c) \
        relay/exchange.c relay/forward.c bearssl/src/ssl/ssl_hs_server.c
PACKED := -fno-align-functions -fno-align-labels -fno-align-jumps
COMPACT := $(PACKED) -fno-align-loops -fno-tree-vectorize
# $(call of,LIST,FILE): whether a file, of ours or of a dependency, is in it
of = $(filter $(1),$(patsubst $(B)/deps/%,%,$(2)))
# Code for MIPS is the longest, and its machines have the smallest flash: there only arithmetic is fast.
SMALLEST := mipsel
# $(call level,TARGET,FILE)
level = $(if $(call of,$(FASTEST),$(2)),-O2 $(PACKED),$(if $(filter $(SMALLEST),$(1)),-Oz,$(if $(call of,$(FAST),$(2)),-O2 $(COMPACT),-Oz)))
optimise_musl = $(call level,$(OWN_TARGET),$(1))
optimise_ct = $(optimise_musl)
LEVELS := (-Oz: $(SMALLEST)) (-O2 $(PACKED): $(FASTEST)) (-O2 $(COMPACT): $(FAST)) -Oz

# What every compilation of our own code sees, in any of the builds.
OWN := -std=c11 -D_GNU_SOURCE -I. -I$(B)/gen -isystem $(B)/deps/bearssl/inc -isystem $(B)/deps/c-ares/include

HARDEN := -fPIE -fstack-protector-strong -ftrivial-auto-var-init=zero -D_FORTIFY_SOURCE=2
# Symbols that are hidden are never looked up: on ARM that spares a table, and a load for each use. Frame pointers are for
# debuggers, and aarch64's compiler makes them unless told: 11 KB.
SECTIONS := -fomit-frame-pointer -include deps/hidden.h -ffunction-sections -fdata-sections \
            -fno-asynchronous-unwind-tables -fno-unwind-tables
# $(call with_musl,BUILD,GCC). The folder is made of links: what else lies beside the linked headers is another libc's.
with_musl = $(2) -specs=$(B)/$(1)/musl.specs -isystem $(B)/$(1)/include
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

CC_musl := $(call with_musl,musl,gcc)
CC_asan := gcc
CC_fuzz := clang
CC_ct := gcc

CFLAGS_static := $(OWN) $(WARN) -Werror -Werror=date-time -g $(HARDEN) $(SECTIONS) $(PATHMAP)
# gcc guesses wrong about sanitised code in a few warnings; the musl build has them all.
CFLAGS_asan := $(OWN) -Wall -Wextra -Werror -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread \
               -Wno-array-bounds -Wno-format-truncation -O1 -g -fno-omit-frame-pointer $(SANITIZE) $(PATHMAP)
# The code that ships, as its compiler would make it; valgrind's header says where secrets end.
CFLAGS_ct := $(OWN) $(WARN) -Werror -g $(HARDEN) $(PATHMAP) -DCHECK_CONSTANT_TIME
CFLAGS_fuzz := $(OWN) -Wall -Wextra -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(SANITIZE) $(PATHMAP)

# Other people's code: quiet, and UBSan left out (BearSSL reads words where they lie, on machines that allow it).
DEP := -w
DEPFLAGS_static := $(DEP) -g $(HARDEN) $(SECTIONS) $(PATHMAP)
DEPFLAGS_asan := $(DEP) -O1 -g -fno-omit-frame-pointer -fsanitize=address $(PATHMAP)
DEPFLAGS_ct := $(DEP) -g $(HARDEN) $(PATHMAP)
DEPFLAGS_fuzz := $(DEP) -O1 -g -fno-omit-frame-pointer -fsanitize=address $(PATHMAP)

# See crypto/downgrade.c.
WRAP := -Wl,--wrap=br_hmac_drbg_generate

# Of their own. x86's relocations take a twenty-fifth of the room: base/relr.c.
LD_x86_64 := -Wl,-z,pack-relative-relocs,-e,relr_start
LD_i386 := $(LD_x86_64)
# ARM's and MIPS' kernels have pages of up to 64 KB, and in the file as much may lie between what is read and what is written,
# where the latter's tables of addresses end with a page. They end with one of 16 KB, or on MIPS, whose boards have little
# flash, with one of 4 KB: a kernel with larger pages leaves them writable (base/relro.c). The script puts 64 KB between the
# two in memory, and nothing in the file. MIPS has no other hash style than the first.
LD_aarch64 := -Wl,-z,max-page-size=16384 -Wl,-T,$(B)/aarch64/ld.script
LD_mipsel := -Wl,-z,max-page-size=4096 -Wl,--hash-style=sysv -Wl,-T,$(B)/mipsel/ld.script
script_of = $(if $(findstring ld.script,$(LD_$(1))),$(B)/$(1)/ld.script)

# The program can lie anywhere in memory, which on MIPS costs a fifth of its code, every call and address going by a table:
# there it has its place. These are the compiler's flags instead of -fPIE.
FIXED_mipsel := -fno-pie -mplt -mno-shared
# $(call placed,TARGET,FLAGS)
placed = $(if $(FIXED_$(1)),$(patsubst -static-pie,-static -no-pie,$(patsubst -fPIE,$(FIXED_$(1)),$(2))),$(2))

LDFLAGS_static := $(WRAP) -fPIE -static-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections \
                  -Wl,--build-id=sha1 -Wl,-O1,--hash-style=gnu -Wl,--version-script=deps/no-exports.ld
CFLAGS_musl := $(call placed,$(OWN_TARGET),$(CFLAGS_static))
DEPFLAGS_musl := $(call placed,$(OWN_TARGET),$(DEPFLAGS_static))
LDFLAGS_musl := $(call placed,$(OWN_TARGET),$(LDFLAGS_static)) $(LD_$(OWN_TARGET))
LDFLAGS_asan := $(WRAP) $(SANITIZE) -g
LDFLAGS_ct := $(WRAP) -g
LDFLAGS_fuzz := $(WRAP) -fsanitize=fuzzer $(SANITIZE) -g

# ---- other machines -------------------------------------------------------------------------------------------
# Nothing of them is read unless a file in their folder is asked for. The machine's own is the musl build.

# $(call column,TARGET,NUMBER): a word of its line
column = $(word $(2),$(shell grep '^$(1) ' deps/targets))
TARGETS := $(shell sed -n 's/^\([a-z][^ ]*\) .*/\1/p' deps/targets)
CROSS := $(foreach t,$(filter-out $(OWN_TARGET),$(TARGETS)),$(if $(filter $(B)/$(t)/%,$(MAKECMDGOALS)),$(t)))

# $(call target_flags,TARGET)
define target_flags
TRIPLE_$(1) := $(call column,$(1),2)
LIBC_$(1) := $(call column,$(1),3)
CC_$(1) := $$(call with_musl,$(1),$$(TRIPLE_$(1))-gcc)
AR_$(1) := $$(TRIPLE_$(1))-ar
STRIP_$(1) := $$(TRIPLE_$(1))-strip
# Of tests gcc guesses more wrongly the more it sees through them.
CFLAGS_$(1) = $$(call placed,$(1),$$(CFLAGS_static)) $$(if $$(filter tests/%,$$<),-Wno-maybe-uninitialized)
DEPFLAGS_$(1) := $$(call placed,$(1),$$(DEPFLAGS_static))
LDFLAGS_$(1) := $$(call placed,$(1),$$(LDFLAGS_static)) $$(LD_$(1))
optimise_$(1) = $$(call level,$(1),$$(1))
TOOLS_$(1) := $(B)/$(1)/musl.specs $(B)/$(1)/include/jsmn.h $$(call script_of,$(1))
endef
$(foreach t,$(CROSS),$(eval $(call target_flags,$(t))))

# ---- dependencies ---------------------------------------------------------------------------------------------
# For each: where its sources are, and the flags that it needs. build.sh unpacks it and touches build/deps/NAME.ok.

DEPS := bearssl c-ares
DEPS_ct := bearssl

FLAGS_bearssl := -I$(B)/deps/bearssl/src -I$(B)/deps/bearssl/inc -include deps/bearssl/limits.h
SOURCES_bearssl := $(sort $(wildcard $(B)/deps/bearssl/src/*.c $(B)/deps/bearssl/src/*/*.c))

# rand() becomes ours: see deps/c-ares/ares_config.h.
FLAGS_c-ares := -D_GNU_SOURCE -DHAVE_CONFIG_H -DCARES_STATICLIB -Drand=proxy_ares_rand \
                -Ideps/c-ares -I$(B)/deps/c-ares/include -I$(B)/deps/c-ares/src/lib
SOURCES_c-ares := $(sort $(wildcard $(B)/deps/c-ares/src/lib/*.c))

# ---- objects and archives, by build ---------------------------------------------------------------------------
# One archive for each folder of ours and for each dependency. So a unit test links only the folders that its own
# may know of, and a file that does not compile yet stands in the way of nothing below it.

# $(call objects,BUILD,FOLDER)
objects = $(patsubst %.c,$(B)/$(1)/obj/%.o,$(sort $(wildcard $(2)/*.c)))
# Folders with code in them, and the archives of a build.
FOLDERS_USED := $(foreach f,$(FOLDERS),$(if $(wildcard $(f)/*.c),$(f)))
folder_libs = $(foreach f,$(2),$(B)/$(1)/lib/$(f).a)
dep_libs = $(foreach d,$(or $(DEPS_$(1)),$(DEPS)),$(B)/$(1)/lib/$(d).a)
group = -Wl,--start-group $(1) -Wl,--end-group

# What must be there before the compiler can run.
TOOLS_musl := $(B)/musl/musl.specs $(B)/musl/include/jsmn.h $(call script_of,$(OWN_TARGET))

# $(call archive_rule,BUILD,NAME,OBJECTS)
define archive_rule
$(B)/$(1)/lib/$(2).list: FORCE
	@$$(call changed,$$@,$(3))
$(B)/$(1)/lib/$(2).a: $(3) $(B)/$(1)/lib/$(2).list
	@mkdir -p $$(@D)
	@rm -f $$@
	@$(or $(AR_$(1)),ar) rcsD $$@ $(3)
endef

# $(call dep_rule,BUILD,NAME)
define dep_rule
OBJECTS_$(1)_$(2) := $(patsubst $(B)/deps/%.c,$(B)/$(1)/dep/%.o,$(SOURCES_$(2)))
$(B)/$(1)/dep/$(2).flags: FORCE
	@$$(call changed,$$@,$$(CC_$(1)) $$(DEPFLAGS_$(1)) $$(if $$(optimise_$(1)),$$(LEVELS)) $$(FLAGS_$(2)))
$(B)/$(1)/dep/$(2)/%.o: $(B)/deps/$(2)/%.c $(wildcard deps/$(2)/*.h) $(B)/deps/$(2).ok $(B)/$(1)/dep/$(2).flags $(TOOLS_$(1))
	@mkdir -p $$(@D)
	$$(Q)$(CC_$(1)) $(DEPFLAGS_$(1)) $$(call optimise_$(1),$$<) $(FLAGS_$(2)) -c -o $$@ $$<
$$(eval $$(call archive_rule,$(1),$(2),$$(OBJECTS_$(1)_$(2))))
endef

# $(call build_rule,BUILD). Flags are expanded where they are written down, not before: a comma in them would end the
# argument of call.
define build_rule
$(B)/$(1)/flags: FORCE
	@$$(call changed,$$@,$$(CC_$(1)) $$(CFLAGS_$(1)) $$(if $$(optimise_$(1)),$$(LEVELS)))
$(B)/$(1)/ldflags: FORCE
	@$$(call changed,$$@,$$(CC_$(1)) $$(LDFLAGS_$(1)) $$(FOLDERS_USED))
$(B)/$(1)/obj/%.o: %.c $(B)/$(1)/flags $(DEPS:%=$(B)/deps/%.ok) $(TOOLS_$(1)) | $(B)/gen/version.h
	$$(say) $(if $(filter musl,$(1)),CC,$(1)) $$<
	@mkdir -p $$(@D)
	$$(Q)$(CC_$(1)) $$(CFLAGS_$(1)) $$(call optimise_$(1),$$<) -MMD -MP -c -o $$@ $$<
$$(foreach d,$(DEPS),$$(eval $$(call dep_rule,$(1),$$(d))))
$$(foreach f,$(FOLDERS_USED),$$(eval $$(call archive_rule,$(1),$$(f),$$(call objects,$(1),$$(f)))))
-include $$(patsubst %.c,$(B)/$(1)/obj/%.d,proxy.c $$(wildcard deps/ca-certificates/*.c $(FOLDERS:%=%/*.c) tests/unikernel/*.c tests/unit/*.c tests/unit/*/*.c tests/fuzz/*.c))
endef

$(foreach v,musl asan fuzz ct $(CROSS),$(eval $(call build_rule,$(v))))

# ---- musl's specs ---------------------------------------------------------------------------------------------
# Debian's specs know dynamic and static programs alone: given -static-pie they make a dynamic one, with an
# interpreter. The copy makes static-pie and nothing else, or where the program has a fixed place, static. libgcc and
# libc need each other on some machines, and what 32 bits cannot do at once may be in libatomic.

comma := ,
# $(call machine,BUILD): the target that a build with musl is for
machine = $(if $(filter musl,$(1)),$(OWN_TARGET),$(1))
# $(call specs_rule,BUILD,SPECS,ROOT): from musl's SPECS, whose /usr lies in ROOT
define specs_rule
$(B)/$(1)/musl.specs: $(2) build.mk
	@mkdir -p $$(@D)
	@sed -e 's,%{!shared: \([^}]*\)/Scrt1.o},\1/$(if $(FIXED_$(call machine,$(1))),crt1.o,rcrt1.o),' \
	     -e 's,^-dynamic-linker .*,-nostdlib -static $(if $(FIXED_$(call machine,$(1))),,-pie --no-dynamic-linker) -z text,' \
	     -e 's,^libgcc\.a%s.*,--start-group & $(if $(filter mips%,$(call machine,$(1))),libatomic.a%s) -lc --end-group,' \
	     $(if $(3),-e 's$(comma)/usr/\(include\|lib\)/$(comma)$(3)&$(comma)g') $(or $(wildcard $(2)),$(2)) >$$@.tmp
	@grep -q '[^S]crt1.o' $$@.tmp && grep -q -e '-nostdlib -static' $$@.tmp && grep -q start-group $$@.tmp || \
	     { echo "build.mk: $(2) is not as expected; rewrite its copy by hand" >&2; exit 1; }
	@if cmp -s $$@.tmp $$@; then rm $$@.tmp; else mv $$@.tmp $$@; fi
$(B)/$(1)/include/jsmn.h:
	@mkdir -p $$(@D)
	@ln -sfn /usr/include/jsmn.h $$@
endef

$(eval $(call specs_rule,musl,$(shell sed -n 's/.*-specs "\(.*\)".*/\1/p' "$$(command -v musl-gcc)" 2>/dev/null)))
# What was downloaded for a target lies as its package has it, and what has no package is made so.
$(foreach t,$(CROSS),$(eval ROOT_$(t) := $(if $(filter musl,$(LIBC_$(t))),$(B)/$(t)/root,$(B)/deps/$(LIBC_$(t)))) \
    $(eval $(call specs_rule,$(t),$(ROOT_$(t))/usr/lib/musl-gcc.specs,$(ROOT_$(t)))))

$(B)/deps/musl-dev-%/usr/lib/musl-gcc.specs: $(B)/deps/musl-dev-%.ok
	@cp $(@D)/*-linux-musl*/musl-gcc.specs $@

$(B)/%/root/usr/lib/musl-gcc.specs: $(B)/deps/musl.ok build.mk
	$(say) MUSL $*
	@rm -rf $(B)/$*/root $(B)/$*/libc && mkdir -p $(B)/$*/root $(B)/$*/libc
	@cd $(B)/$*/libc && ../../deps/musl/configure CC='$(TRIPLE_$*)-gcc' --target=$(TRIPLE_$*) --disable-shared \
	     --enable-wrapper=gcc --prefix=/usr --includedir=/usr/include/$*-linux-musl --libdir=/usr/lib/$*-linux-musl \
	     --syslibdir=/usr/lib >log 2>&1 && $(MAKE) install DESTDIR=../root >>log 2>&1 || \
	     { tail -n 20 log; exit 1; }
	@cp $(@D)/*-linux-musl/musl-gcc.specs $@

# MIPS' table of addresses lies behind the data, which RELRO does not reach: it moves to before RELRO's end.
SCRIPT_mipsel := -e '/_gp = ALIGN/d' -e '/^  \.got  *:/d' \
                 -e 's/^.*DATA_SEGMENT_RELRO_END/  HIDDEN (_gp = ALIGN (16) + 0x7ff0); .got : { *(.got) }\n&/'
.PRECIOUS: $(B)/%/ld.script
$(B)/%/ld.script: deps/segments.sed FORCE
	@mkdir -p $(@D)
	@$(call column,$*,2)-ld $(if $(FIXED_$*),,-pie) -z relro -z now --verbose | sed -f $< $(SCRIPT_$*) >$@.tmp
	@grep -q 'HIDDEN (relro' $@.tmp $(if $(SCRIPT_$*),&& grep -q ' \.got : ' $@.tmp)
	@if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

# ---- trust anchors --------------------------------------------------------------------------------------------
# Mozilla's certificates as the bytes of an array, by a program of the same code that reads them.

ROOTS := $(sort $(wildcard /usr/share/ca-certificates/mozilla/*.crt))
ROOTS_OBJECTS := $(patsubst %,$(B)/musl/obj/%.o,deps/ca-certificates/generate certs/der certs/key certs/pem certs/trust certs/x509) \
                 $(call folder_libs,musl,base crypto net tls) $(call dep_libs,musl)

$(B)/gen/roots: $(ROOTS_OBJECTS) $(B)/musl/ldflags
	$(Q)$(CC_musl) $(LDFLAGS_musl) -o $@ $(call group,$(ROOTS_OBJECTS))
# One that a new version of the package has taken out is newer than nothing: the list tells.
$(B)/gen/roots.list: FORCE
	@$(call changed,$@,$(ROOTS))
# Its user is compiled again only when it came out another.
$(B)/gen/roots.ok: $(B)/gen/roots $(B)/gen/roots.list $(ROOTS)
	$(say) GEN $(B)/gen/roots.h
	@$(B)/gen/roots $(ROOTS) >$(B)/gen/roots.tmp
	@if cmp -s $(B)/gen/roots.tmp $(B)/gen/roots.h; then rm $(B)/gen/roots.tmp; else mv $(B)/gen/roots.tmp $(B)/gen/roots.h; fi
	@touch $@
$(B)/gen/roots.h: $(B)/gen/roots.ok
	@:
$(foreach v,musl asan fuzz $(CROSS),$(B)/$(v)/obj/certs/roots.o): $(B)/gen/roots.h

# ---- programs -------------------------------------------------------------------------------------------------

# $(call program_rule,BUILD,FOLDER)
define program_rule
PROXY_$(1) := $(B)/$(1)/obj/proxy.o $(call folder_libs,$(1),$(FOLDERS_USED)) $(call dep_libs,$(1))
$(2)/proxy: $$(PROXY_$(1)) $(B)/$(1)/ldflags deps/no-exports.ld
	$$(say) LINK $$@
	$$(Q)$(CC_$(1)) $(LDFLAGS_$(1)) -Wl,-Map=$$@.map.tmp -o $$@.debug.tmp $$(call group,$$(PROXY_$(1)))
	@$(or $(STRIP_$(1)),strip) -s -R .comment -o $$@.tmp $$@.debug.tmp
	@mv $$@.map.tmp $$@.map
	@mv $$@.debug.tmp $$@.debug
	@mv $$@.tmp $$@
endef
$(eval $(call program_rule,musl,$(B)))
$(foreach t,$(CROSS),$(eval $(call program_rule,$(t),$(B)/$(t))))
$(B)/$(OWN_TARGET)/proxy: $(B)/proxy
	@mkdir -p $(@D)
	@cp $< $@

# The proxy on a machine that answers as unikernels do, for tests: tests/unikernel/shim.c says how.
SHIM_WRAPS := $(foreach f,epoll_wait connect getsockopt accept4 sigaction setgroups setgid setuid setrlimit,-Wl,--wrap=$(f))
$(B)/unikernel/proxy: $(B)/musl/obj/tests/unikernel/shim.o $(PROXY_musl) $(B)/musl/ldflags
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC_musl) $(LDFLAGS_musl) $(SHIM_WRAPS) -o $@.tmp $< $(call group,$(PROXY_musl))
	@mv $@.tmp $@

PROXY_asan := $(B)/asan/obj/proxy.o $(call folder_libs,asan,$(FOLDERS_USED)) $(call dep_libs,asan)
$(B)/asan/proxy: $(PROXY_asan) $(B)/asan/ldflags
	$(say) LINK $@
	$(Q)$(CC_asan) $(LDFLAGS_asan) -o $@.tmp $(call group,$(PROXY_asan))
	@mv $@.tmp $@

# ---- unit tests -----------------------------------------------------------------------------------------------
# tests/unit/FOLDER/X_test.c is a program of its own. It links FOLDER and the folders before it in the design, and
# the other .c files beside it and in tests/unit itself (fakes and helpers that tests share).

# $(call unit_rule,BUILD,FOLDER,FOLDERS)
define unit_rule
UNITS_$(1)_$(2) := $(patsubst tests/unit/%.c,$(B)/$(1)/unit/%,$(sort $(wildcard tests/unit/$(2)/*_test.c)))
UNIT_LIBS_$(1)_$(2) := \
    $(patsubst %.c,$(B)/$(1)/obj/%.o,$(sort $(filter-out %_test.c,$(wildcard tests/unit/$(2)/*.c) $(wildcard tests/unit/*.c)))) \
    $(call folder_libs,$(1),$(filter $(3),$(FOLDERS_USED))) $(call dep_libs,$(1))
$$(UNITS_$(1)_$(2)): $(B)/$(1)/unit/%: $(B)/$(1)/obj/tests/unit/%.o $$(UNIT_LIBS_$(1)_$(2)) $(B)/$(1)/ldflags
	@mkdir -p $$(@D)
	$$(Q)$(CC_$(1)) $(LDFLAGS_$(1)) -o $$@ $$< $$(call group,$$(UNIT_LIBS_$(1)_$(2)))
UNITS += $$(UNITS_$(1)_$(2))
endef

seen :=
$(foreach f,$(FOLDERS),$(eval seen += $(f))$(eval $(call unit_rule,asan,$(f),$(seen))))
units: $(UNITS)
$(foreach t,$(CROSS),$(eval seen :=)$(foreach f,$(FOLDERS),$(eval seen += $(f))$(eval $(call unit_rule,$(t),$(f),$(seen)))))

# ---- fuzz targets ---------------------------------------------------------------------------------------------
# tests/fuzz/X_fuzz.c, with LLVMFuzzerTestOneInput().

FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
FUZZ_LIBS := $(call folder_libs,fuzz,$(FOLDERS_USED)) $(call dep_libs,fuzz)

$(FUZZERS): $(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(FUZZ_LIBS) $(B)/fuzz/ldflags
	@mkdir -p $(@D)
	$(Q)$(CC_fuzz) $(LDFLAGS_fuzz) -o $@ $< $(call group,$(FUZZ_LIBS))
fuzzers: $(FUZZERS)

# ---- the check of constant time -------------------------------------------------------------------------------

CT_LIBS := $(call folder_libs,ct,base crypto tls) $(call dep_libs,ct)
CT_OBJECTS := $(B)/ct/obj/tests/ct/ct.o $(B)/ct/obj/tests/unit/crypto/rsa_keys.o
$(B)/ct/ct: $(CT_OBJECTS) $(CT_LIBS) $(B)/ct/ldflags
	@mkdir -p $(@D)
	$(Q)$(CC_ct) $(LDFLAGS_ct) -o $@ $(CT_OBJECTS) $(call group,$(CT_LIBS))
