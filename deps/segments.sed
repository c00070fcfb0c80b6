# From what "ld --verbose" prints, the linker script between its rulers, with the written part of the file 64 KB behind its
# place there in memory: so kernels with pages of any size up to that can map both parts. ld's own way is to start it on the
# next page, wherever the one before ended, and to shift it until RELRO ends with a page. That is done here beforehand, and
# finds nothing to shift any more.
1,/^=====/d
/^=====/,$d
s/^ *\. = DATA_SEGMENT_ALIGN/\
  HIDDEN (relro = SIZEOF (.init_array) + SIZEOF (.fini_array) + SIZEOF (.data.rel.ro) + SIZEOF (.got));\
  . = ALIGN (. + relro, CONSTANT (MAXPAGESIZE)) - relro + 0x10000 - CONSTANT (MAXPAGESIZE);\
&/
