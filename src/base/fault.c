#include "base/fault.h"

#include <limits.h>
#include <string.h>

const char *fault_text(int fault) {
        if (fault == 0)
                return "no fault";
        if (fault > 0)
                return "an outcome, not a fault";
        switch (fault) {
        case FAULT_STORAGE:
                return "the store cannot take writes now";
        case FAULT_CONSTRAINT:
                return "the database refused a change that the rules had allowed";
        case FAULT_FORMAT:
                return "the stored data is not what this version wrote";
        case FAULT_BUSY:
                return "a queue or a pool is full";
        default:
                break;
        }
        const char *description = fault == INT_MIN ? NULL : strerrordesc_np(-fault);
        return description ? description : "unknown fault";
}
