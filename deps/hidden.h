/* SPDX-License-Identifier: MIT
 *
 * Before every file of what ships: one program and no library, so that no symbol is another's to replace.
 */
#pragma GCC visibility push(hidden)
