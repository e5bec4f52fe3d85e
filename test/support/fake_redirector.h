/*
 * What redirectord of the fake site answers beside the resource protocol; self is the
 * struct fake_manager.
 */
#pragma once

#include "lib/api/redirector_api.h"

extern const struct redirector_ops redirector_fake_ops;
