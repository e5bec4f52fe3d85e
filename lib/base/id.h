/*
 * Resource ids: epoch (24 bits) and counter (40 bits, running on across epochs). Written on the
 * wire, in logs, names and the CLI as 13 characters base32hex, lower case (RFC 4648 §7).
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

enum { ID_TEXT_SIZE = 14, PORT_DEVICE_SIZE = 16 };

struct id_text {
	char text[ID_TEXT_SIZE];
};

struct port_device {
	char name[PORT_DEVICE_SIZE];
};

uint64_t id_make(uint32_t epoch, uint64_t counter);
uint32_t id_epoch(uint64_t id);
uint64_t id_counter(uint64_t id);

struct id_text id_text(uint64_t id);

/* ERR_BAD_VALUE unless it is 13 characters base32hex. */
bool id_parse(const char *text, uint64_t *id, struct err *err) must_check;

/* The device of a port: "vn" + the id's text (15 characters): the contract of programmerd and
 * redirectord. */
struct port_device id_port_device(uint64_t port);

/* The port whose device has this name; false: none can have it. */
bool id_of_port_device(const char *name, uint64_t *port);

/* The MAC address of a port: 02 + the low 40 bits. */
void id_port_mac(uint64_t port, unsigned char mac[6]);
