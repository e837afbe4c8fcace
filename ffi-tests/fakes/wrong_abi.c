/* Fake: a library that speaks no version of the ABI that anyone asks for. */
#include <stddef.h>

#include "nashtrace.h"

const nashtrace_api *nashtrace_get_api(uint32_t abi_version) {
    (void)abi_version;
    return NULL;
}
