/*
 * Ids to text and back, and the names that follow from them.
 */
#include "lib/base/id.h"

#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

uint64_t
id_make(uint32_t epoch, uint64_t counter)
{
	return (uint64_t)epoch << 40 | (counter & 0xffffffffffu);
}

uint32_t
id_epoch(uint64_t id)
{
	return (uint32_t)(id >> 40);
}

uint64_t
id_counter(uint64_t id)
{
	return id & 0xffffffffffu;
}

struct id_text
id_text(uint64_t id)
{
	struct id_text out = {{0}};

	/* 64 bits are 12.8 digits of five: the last one holds four bits, shifted up. */
	for (int i = 0; i < 12; i++)
		out.text[i] = digits[id >> (59 - 5 * i) & 31];
	out.text[12] = digits[(id & 15) << 1];
	return out;
}

bool
id_parse(const char *text, uint64_t *id, struct err *err)
{
	uint64_t value = 0;

	if (!text || strlen(text) != ID_TEXT_SIZE - 1)
		return err_set(err, ERR_BAD_VALUE, "'%.20s' is no resource id", text ? text : "");
	for (int i = 0; i < 13; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit || (i == 12 && ((digit - digits) & 1)))
			return err_set(err, ERR_BAD_VALUE, "'%s' is no resource id", text);
		value = i < 12 ? value << 5 | (uint64_t)(digit - digits)
			       : value << 4 | (uint64_t)(digit - digits) >> 1;
	}
	*id = value;
	return true;
}

struct port_device
id_port_device(uint64_t port)
{
	struct port_device device;

	snprintf(device.name, sizeof(device.name), "vn%s", id_text(port).text);
	return device;
}

bool
id_of_port_device(const char *name, uint64_t *port)
{
	return name[0] == 'v' && name[1] == 'n' && id_parse(name + 2, port, NULL);
}

void
id_port_mac(uint64_t port, unsigned char mac[6])
{
	mac[0] = 2;
	for (int i = 0; i < 5; i++)
		mac[5 - i] = (unsigned char)(port >> (8 * i));
}
