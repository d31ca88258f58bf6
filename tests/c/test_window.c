/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/env/window.c core/util/error.c */
#include "core/env/window.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/c/test.h"

#define PAGE 4096u
#define PAGES 16u

static struct pyn_error err;

static void *pages(size_t count)
{
	return mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool is_mapped(void *memory)
{
	unsigned char residence;

	return mincore(memory, PAGE, &residence) == 0;
}

TEST(pages_are_given_out_once_zeroed_and_again_after_they_came_back)
{
	uint8_t *memory = pages(PAGES);
	struct pyn_window *window = pyn_window_create(memory, PAGES * PAGE, &err);
	uint8_t *first = pyn_window_alloc(window, 1, PAGE, &err);
	uint8_t *second = pyn_window_alloc(window, 2 * PAGE + 1, PAGE, &err);

	CHECK(first == memory);
	CHECK(second == memory + PAGE);
	CHECK(pyn_window_alloc(window, 12 * PAGE, PAGE, &err) == memory + 4 * PAGE);
	CHECK(!pyn_window_alloc(window, 1, PAGE, &err));
	CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
	memset(second, 0xaa, 3 * PAGE);
	pyn_window_free(window, second, 2 * PAGE + 1);
	CHECK(!pyn_window_alloc(window, 4 * PAGE, PAGE, &err));
	second = pyn_window_alloc(window, 3 * PAGE, PAGE, &err);
	CHECK(second == memory + PAGE);
	for (unsigned i = 0; i < 3 * PAGE; i++)
		if (!CHECK_EQ(second[i], 0))
			break;
	pyn_window_free(window, second, 3 * PAGE);
	pyn_window_free(window, first, 1);
	pyn_window_free(window, memory + 4 * PAGE, 12 * PAGE);
	pyn_window_detach(window, memory, PAGES * PAGE);
	CHECK(!is_mapped(memory));
}

TEST(what_cannot_be_is_refused)
{
	uint8_t *memory = pages(PAGES);
	struct pyn_window *window = pyn_window_create(memory, PAGES * PAGE, &err);

	CHECK(!pyn_window_alloc(window, 0, PAGE, &err));
	CHECK(!pyn_window_alloc(window, SIZE_MAX, PAGE, &err));
	CHECK(!pyn_window_alloc(window, (PAGES + 1) * PAGE, PAGE, &err));
	pyn_window_detach(window, memory, PAGES * PAGE);
}

TEST(who_has_pages_keeps_them_after_the_device_went_away)
{
	uint8_t *memory = pages(PAGES);
	struct pyn_window *window = pyn_window_create(memory, PAGES * PAGE, &err);
	uint8_t *kept = pyn_window_alloc(window, PAGE, PAGE, &err);

	pyn_window_detach(window, memory, PAGES * PAGE);
	kept[0] = 7;
	CHECK_EQ(kept[0], 7);
	pyn_window_free(window, kept, PAGE);
	CHECK(!is_mapped(memory));
}
