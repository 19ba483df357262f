// Plugin of QEMU's user mode (its interface, version 1): counts how often each translated block runs, so what a program executes,
// to the instruction. Argument: out=FILE, which gets two 64-bit numbers (blocks so far; 0) and then three a block: address,
// instructions, runs. Threads count without locks: what is lost is far below a thousandth.
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { INLINE_ADD = 0, BLOCKS_MAX = 4000000 };
struct block { uint64_t address, instructions, runs; };
struct counts { uint64_t blocks, unused; struct block block[BLOCKS_MAX]; };
static struct counts *counts;

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    uint64_t at = __atomic_fetch_add(&counts->blocks, 1, __ATOMIC_RELAXED);
    if (at >= BLOCKS_MAX) _exit(1);
    struct block *block = &counts->block[at];
    block->address = qemu_plugin_tb_vaddr(tb);
    block->instructions = qemu_plugin_tb_n_insns(tb);
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &block->runs, 1);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    if (argc < 1 || strncmp(argv[0], "out=", 4) != 0) return -1;
    int file = open(argv[0] + 4, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, sizeof(struct counts)) != 0) return -1;
    counts = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED) return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
