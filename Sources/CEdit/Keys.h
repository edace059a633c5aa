#ifndef RASA_KEYS_H
#define RASA_KEYS_H
#include "CEdit.h"

/// Between these two everything that comes belongs to a paste that is marked already.
void rasa_keys_begin_paste(rasa_keys *keys);
void rasa_keys_end_paste(rasa_keys *keys);
#endif
