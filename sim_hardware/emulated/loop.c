/* SPDX-License-Identifier: MIT
 *
 * loop: rp2040py 0.3.6's execute_batch() (native/_simulator.pyx), for the same results in half the
 * time. Stock, each instruction looks up `simulator.stopped`, calls a method of each PIO block and,
 * for a conditional branch, a method of the core, all through Python. Here they are fields.
 *
 * The structures are those that Cython lays out for the classes in rp2040py's .pxd files, compiled
 * by the same compiler (compiled.py). layout() returns the fields read through them. They
 * are compared with the fields of the classes before the loop is used.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <time.h>

typedef struct { /* a typed memoryview */
    void *view;
    char *data;
    Py_ssize_t shape[8], strides[8], suboffsets[8];
} Slice;

typedef struct Core { /* _cortex_m0_core.pxd, up to what is used */
    PyObject_HEAD
    struct CoreTable *table;
    PyObject *rp2040;
    Slice registers;
    unsigned int banked_sp;
    unsigned long long cycles;
    int event_registered, waiting, n, c, z, v;
    unsigned int break_rewind;
    int pm, sp_sel, n_priv, current_mode;
    unsigned int ipsr, nmi_mask, pending, enabled;
    Slice priorities;
    int pending_nmi, pending_pend_sv, pending_svcall, pending_systick, interrupts_updated;
} Core;

struct CoreTable {
    void *reset, *set_interrupt;
    int (*execute)(Core *, int skip_dispatch);
};

typedef int (*Handler)(Core *, unsigned int opcode, unsigned int opcode2, unsigned int at);

typedef struct Alarm { /* _simulation_clock.pxd */
    PyObject_HEAD
    void *table;
    PyObject *clock, *callback;
    struct Alarm *next;
    double nanos;
    int scheduled;
} Alarm;

typedef struct Clock {
    PyObject_HEAD
    struct ClockTable *table;
    double frequency;
    Alarm *next; /* None when there is none */
    double nanos;
} Clock;

struct ClockTable {
    void *create_alarm, *link_alarm, *unlink_alarm;
    PyObject *(*tick)(Clock *, double nanos, int skip_dispatch);
};

typedef struct { /* _rp2040.pxd */
    PyObject_HEAD
    void *table;
    Core *core;
    Clock *clock;
    Slice sram, flash, usb_dpram, bootrom;
} Chip;

typedef struct Pio { /* _pio.pxd, up to what is used */
    PyObject_HEAD
    struct PioTable *table;
    PyObject *rp2040, *name;
    unsigned int raw_write_value, first_irq, index;
    PyObject *instructions, *dreq_rx, *dreq_tx, *machines, *run_task;
    int stopped;
    long long cycle_fp, next_due_fp;
} Pio;

struct PioTable {
    void *warn, *recompute_due, *notify_due, *advance;
    PyObject *(*run_due)(Pio *);
};

/* As in _simulator.pyx: the clock of 125 MHz, and when a batch ends. */
#define CYCLE_NANOS 8.0
#define BATCH_S 0.005
#define BATCH_MAX 1000000
#define LOOK_EVERY 256

#define FLASH_START 0x10000000u
#define SRAM_START 0x20000000u
#define PIOS 2

static Handler *handlers; /* DISPATCH_TABLE of _cortex_m0_core, one for each opcode of 16 bits */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

/* Whether an attribute is true; -1 with an error. */
static int is_true(PyObject *object, const char *name) {
    PyObject *value = PyObject_GetAttrString(object, name);
    int is;
    if (value == NULL)
        return -1;
    is = PyObject_IsTrue(value);
    Py_DECREF(value);
    return is;
}

static double to_next_alarm(const Clock *clock) {
    return (PyObject *)clock->next == Py_None ? 0.0 : clock->next->nanos - clock->nanos;
}

static int tick(Clock *clock, double nanos) {
    PyObject *done;
    if ((PyObject *)clock->next == Py_None || clock->next->nanos > clock->nanos + nanos) {
        clock->nanos += nanos;
        return 0;
    }
    done = clock->table->tick(clock, nanos, 0);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* CortexM0Core.check_condition() for the conditions that a branch has. */
static int holds(const Core *core, unsigned int condition) {
    int is;
    switch (condition >> 1) {
    case 0: is = core->z; break;
    case 1: is = core->c; break;
    case 2: is = core->n; break;
    case 3: is = core->v; break;
    case 4: is = core->c && !core->z; break;
    case 5: is = core->n == core->v; break;
    default: is = core->n == core->v && !core->z; break;
    }
    return is != (int)(condition & 1);
}

/* execute_instruction(): its cycles, -1 with an error. Interrupts, instructions of 32 bits, and
 * code that is in neither flash nor SRAM are left to it. */
static int execute(Chip *chip, Core *core) {
    unsigned int *registers = (unsigned int *)core->registers.data;
    unsigned int at = registers[15] & ~1u, in_flash = at - FLASH_START, in_sram = at - SRAM_START;
    unsigned short opcode;
    int cycles = 1;
    if (core->interrupts_updated)
        return core->table->execute(core, 0);
    if (in_flash + 1 < (size_t)chip->flash.shape[0])
        memcpy(&opcode, chip->flash.data + in_flash, 2);
    else if (in_sram + 1 < (size_t)chip->sram.shape[0])
        memcpy(&opcode, chip->sram.data + in_sram, 2);
    else
        return core->table->execute(core, 0);
    if (opcode >> 11 >= 0x1d || handlers[opcode] == NULL)
        return core->table->execute(core, 0);
    registers[15] += 2;
    if (opcode >> 12 == 0xd && (opcode >> 9 & 7) != 7) {
        if (holds(core, opcode >> 8 & 0xf)) {
            registers[15] += 2 + 2 * (int)(signed char)(opcode & 0xff);
            cycles = 2;
        }
    } else {
        cycles = handlers[opcode](core, opcode, 0, at);
        if (cycles == -1 && PyErr_Occurred())
            return -1;
    }
    core->cycles += cycles;
    return cycles;
}

static int advance(Pio *pio, long long cycles) {
    PyObject *done;
    if (pio->stopped)
        return 0;
    pio->cycle_fp += cycles << 8;
    if (pio->cycle_fp < pio->next_due_fp)
        return 0;
    done = pio->table->run_due(pio);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* `stopped` is looked at as often as the wall clock, and when the processor sleeps: what sets it is
 * no instruction. */
static int run(PyObject *simulator, Chip *chip, Pio *pios[PIOS]) {
    Core *core = chip->core;
    Clock *clock = chip->clock;
    double begin_s = seconds(), nanos;
    int is = is_true(simulator, "stopped");
    for (long done = 0; !is && done < BATCH_MAX; done++) {
        long long cycles;
        if (core->waiting || done % LOOK_EVERY == LOOK_EVERY - 1) {
            is = is_true(simulator, "stopped");
            if (is || seconds() - begin_s > BATCH_S)
                break;
        }
        if (core->waiting) {
            nanos = to_next_alarm(clock);
            cycles = (long long)(nanos / CYCLE_NANOS);
            cycles += !cycles;
        } else {
            cycles = execute(chip, core);
            if (cycles == -1)
                return -1;
            nanos = cycles * CYCLE_NANOS;
        }
        if (tick(clock, nanos) || advance(pios[0], cycles) || advance(pios[1], cycles))
            return -1;
    }
    return is < 0 ? -1 : 0;
}

static int find_pios(PyObject *list, Pio *pios[PIOS]) {
    if (!PyList_CheckExact(list) || PyList_GET_SIZE(list) != PIOS) {
        PyErr_SetString(PyExc_TypeError, "a chip has two PIO blocks");
        return -1;
    }
    for (int i = 0; i < PIOS; i++)
        pios[i] = (Pio *)PyList_GET_ITEM(list, i);
    return 0;
}

static PyObject *execute_batch(PyObject *Py_UNUSED(self), PyObject *simulator) {
    PyObject *result = NULL, *list = NULL, *chip = PyObject_GetAttrString(simulator, "rp2040");
    Pio *pios[PIOS];
    int is_held = chip == NULL ? -1 : is_true(chip, "run_pin_low");
    if (is_held > 0)
        result = Py_NewRef(Py_None);
    else if (is_held == 0) {
        list = PyObject_GetAttrString(chip, "pio");
        if (list != NULL && !find_pios(list, pios) && !run(simulator, (Chip *)chip, pios))
            result = Py_NewRef(Py_None);
    }
    Py_XDECREF(list);
    Py_XDECREF(chip);
    return result;
}

/* Of a chip: what the loop reads of it, and of both PIO blocks. */
static PyObject *layout(PyObject *Py_UNUSED(self), PyObject *object) {
    Chip *chip = (Chip *)object;
    Core *core = chip->core;
    PyObject *result = NULL, *list = PyObject_GetAttrString(object, "pio");
    Pio *pios[PIOS];
    if (list != NULL && !find_pios(list, pios))
        result = Py_BuildValue(
            "{s:K,s:I,s:i,s:I,s:I,s:i,s:d,s:d,s:n,s:n,s:[iLL],s:[iLL]}",
            "cycles", core->cycles,
            "pc", ((unsigned int *)core->registers.data)[15],
            "waiting", core->waiting,
            "ipsr", core->ipsr,
            "enabled_interrupts", core->enabled,
            "interrupts_updated", core->interrupts_updated,
            "nanos", chip->clock->nanos,
            "nanos_to_next_alarm", to_next_alarm(chip->clock),
            "flash", chip->flash.shape[0],
            "sram", chip->sram.shape[0],
            "pio0", pios[0]->stopped, pios[0]->cycle_fp, pios[0]->next_due_fp,
            "pio1", pios[1]->stopped, pios[1]->cycle_fp, pios[1]->next_due_fp);
    Py_XDECREF(list);
    return result;
}

static PyMethodDef methods[] = {
    {"execute_batch", execute_batch, METH_O, "As rp2040py.execute_batch, for tick_batch 1."},
    {"layout", layout, METH_O, "What the loop reads of a chip."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "loop", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_loop(void) {
    PyObject *core = PyImport_ImportModule("rp2040py.native._cortex_m0_core");
    PyObject *exported = core == NULL ? NULL : PyObject_GetAttrString(core, "__pyx_capi__");
    PyObject *capsule =
        exported == NULL ? NULL : PyDict_GetItemString(exported, "DISPATCH_TABLE");
    if (capsule != NULL)
        handlers = PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
    Py_XDECREF(exported);
    Py_XDECREF(core);
    if (handlers == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ImportError, "the core has no table of instructions");
        return NULL;
    }
    return PyModule_Create(&module);
}
