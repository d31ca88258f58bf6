/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a rule: parse.c reads it, print.c writes it. Parsing a printed rule returns the same rule. */
#ifndef VSSD_FAULT_PARSE_H
#define VSSD_FAULT_PARSE_H

#include <stddef.h>
#include <stdio.h>

#include "core/util/error.h"
#include "vssd/fault/rule.h"

/* Parse one rule, which is one line. 0, or -EINVAL: the message names the word, what was expected, and the rule. */
int vssd_fault_parse(const char *text, struct vssd_fault_rule *rule, struct pyn_error *err);

/* Write the canonical text of a rule, with its NUL. Returns its length. */
size_t vssd_fault_print(const struct vssd_fault_rule *rule, char text[VSSD_FAULT_TEXT]);

/* Print all words of the language, as JSON: objects with name, takes, places and help, in lists by kind. */
void vssd_fault_print_words(FILE *file);

#endif
