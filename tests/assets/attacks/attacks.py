"""Programs that try to get out, each a function: it returns what it got, or None when it got nothing.

They run inside a sandbox, called by name; `suite.py` makes what they look for and checks from outside.
Standard library only, and everything they need to know comes in `have`.
"""

import ctypes
import fcntl
import mmap
import os
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def syscall(have, name, *arguments):
    """Make a raw system call; raises OSError."""
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = LIBC.syscall(ctypes.c_long(have["numbers"][name]), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


# ------------------------------------------------------------------ files


def fs_open(have):
    Path(have["outside"], "made").write_text("x")
    return "wrote"


def fs_change_victim(have):
    with open(have["victim"], "r+b") as file:
        file.write(b"HACKED")
    return "wrote"


def fs_raw_open(have):
    place = os.path.join(have["outside"], "raw").encode()
    return syscall(have, "openat", -100, place, 0o101, 0o644)


def fs_raw_openat2(have):
    how = (0o101).to_bytes(8, "little") + (0o644).to_bytes(8, "little") + bytes(8)
    return syscall(have, "openat2", -100, os.path.join(have["outside"], "raw2").encode(), how, 24)


def fs_mmap(have):
    with open(have["victim"], "r+b") as file:
        mmap.mmap(file.fileno(), 0)[:4] = b"HACK"
    return "mapped"


def fs_symlink(have):
    os.symlink(have["outside"], "way")
    Path("way", "made").write_text("x")
    return "wrote"


def fs_hardlink(have):
    os.link(have["victim"], "mine")
    Path("mine").write_text("x")
    return "linked"


def fs_dotdot(have):
    Path(*[".."] * 12, *Path(have["outside"]).parts[1:], "made").write_text("x")
    return "wrote"


def fs_proc_root(have):
    for pid in ("self", "1", str(os.getppid())):
        for door in ("root", "cwd"):
            place = Path(f"/proc/{pid}/{door}/{have['outside']}/made")
            try:
                place.write_text("x")
                return "wrote"
            except OSError:
                continue
    return None


def fs_sqlite(have):
    with sqlite3.connect(os.path.join(have["outside"], "db")) as base:
        base.execute("create table t(x)")
    return "wrote"


def fs_shell(have):
    subprocess.run(["sh", "-c", f"echo x > {have['outside']}/sh"], check=True)
    return "wrote"


def fs_change_checkout(have):
    Path(have["checkout"], "module.py").write_text("x")
    return "wrote"


def fs_plant_hook(have):
    place = Path(have["checkout"], ".git", "hooks", "post-commit")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("#!/bin/sh\n")
    return "planted"


def fs_rename_away(have):
    os.rename(have["victim"], "mine")
    return "took"


def fs_touch(have):
    os.utime(have["victim"], (1, 1))
    return "touched"


def fs_chmod(have):
    os.chmod(have["victim"], 0o777)
    return "changed"


def fs_remount(have):
    for place in ("/", have["checkout"], "/usr"):
        try:
            syscall(have, "mount", b"none", place.encode(), None, 32 | 4096, None)
            return "remounted"
        except OSError:
            continue
    return None


def fs_device(have):
    os.mknod("disk", 0o660 | 0o060000, os.makedev(8, 0))
    return "made a device"


def fs_handle(have):
    return syscall(have, "open_by_handle_at", 3, bytes(64), 0)


def fs_sysctl(have):
    Path("/proc/sys/kernel/core_pattern").write_text("|/bin/true")
    return "wrote"


def fs_interpreter(have):
    (Path(os.__file__).parent / "planted.py").write_text("x")
    return "planted"


# ------------------------------------------------------------------ network


def net_tcp(have):
    with socket.create_connection(("127.0.0.1", have["port"]), 2) as line:
        line.sendall(b"out")
    return "connected"


def net_udp(have):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(b"out", ("127.0.0.1", have["udp"]))
    return None  # whether it arrived is seen outside


def net_fast_open(have):
    with socket.socket() as line:
        line.sendto(b"out", 0x20000000, ("127.0.0.1", have["port"]))
    return "sent"


def net_unix(have):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(have["unix"])
    return "connected"


def net_abstract(have):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("\0" + have["abstract"])
    return "connected"


def net_machine(have):
    with socket.socket(40, socket.SOCK_STREAM) as line:
        line.connect((2, 1))
    return "connected"


def net_packet(have):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    return "opened"


def net_crypto(have):
    socket.socket(38, socket.SOCK_SEQPACKET)
    return "opened"


def net_shell(have):
    subprocess.run(["bash", "-c", f"echo x > /dev/tcp/127.0.0.1/{have['port']}"], check=True)
    return "connected"


# ------------------------------------------------------------------ other processes


def proc_kill(have):
    os.kill(have["pid"], signal.SIGKILL)
    return "killed"


def proc_kill_all(have):
    os.kill(-1, signal.SIGKILL)
    return None


def proc_renice(have):
    os.setpriority(os.PRIO_PROCESS, have["pid"], 19)
    return "reniced"


def proc_trace(have):
    return syscall(have, "ptrace", 16, have["pid"], 0, 0)


def proc_read_memory(have):
    return syscall(have, "process_vm_readv", have["pid"], bytes(16), 1, bytes(16), 1, 0)


def proc_pidfd(have):
    return syscall(have, "pidfd_open", have["pid"], 0)


def proc_daemon(have):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            time.sleep(1000)
        os._exit(0)
    os.wait()
    return None


def proc_hang_up_keeper(have):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGSTOP):
        try:
            os.kill(1, number)
        except OSError:
            continue
    time.sleep(0.2)
    return None


# ------------------------------------------------------------------ secrets


def sec_environ(have):
    return have["secret"] if have["secret"] in str(os.environ) else None


def sec_other_environ(have):
    for name in os.listdir("/proc"):
        if name.isdigit():
            for part in ("environ", "cmdline", "mem"):
                try:
                    with open(f"/proc/{name}/{part}", "rb") as file:
                        if have["secret"].encode() in file.read(10**6):
                            return f"{name}/{part}"
                except OSError:
                    continue
    return None


def sec_read(have):
    return Path(have["key"]).read_text()


def sec_git(have):
    return Path(have["checkout"], ".git", "config").read_text()


def sec_shadow(have):
    return Path("/etc/shadow").read_text()


def sec_descriptors(have):
    for number in range(3, 256):
        try:
            text = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if not text.startswith(("pipe:", "/proc/", "/scratch")) and "seccomp" not in text:
            return text
        if "seccomp" in text:
            return "the filter's listener"
    return None


# ------------------------------------------------------------------ the kernel's doors


def door(name, *arguments):
    """Return an attack that makes one call that nobody may make."""

    def attack(have):
        return f"{name}: {syscall(have, name, *arguments)}"

    return attack


kern_user_space = door("unshare", 0x10000000)
kern_net_space = door("unshare", 0x40000000)
kern_clone_space = door("clone", 0x10000000 | 17, 0, 0, 0, 0)
kern_join = door("setns", 3, 0)
kern_keys = door("keyctl", 0, -3, 1)
kern_add_key = door("add_key", b"user", b"a", b"b", 1, -3)
kern_programs = door("bpf", 0, bytes(64), 64)
kern_counters = door("perf_event_open", bytes(120), 0, -1, -1, 0)
kern_rings = door("io_uring_setup", 4, bytes(120))
kern_faults = door("userfaultfd", 0)
kern_anonymous_file = door("memfd_create", b"x", 0)
kern_clock = door("clock_settime", 0, bytes(16))
kern_name = door("sethostname", b"x", 1)
kern_shared_segment = door("shmget", 0, 2**20, 0o1600)
kern_queue = door("msgget", 0, 0o1600)
kern_watch = door("inotify_init1", 0)
kern_tree = door("open_tree", -100, b"/", 1)
kern_new_mounts = door("fsopen", b"tmpfs", 0)
kern_root = door("chroot", b".")
kern_module = door("init_module", bytes(8), 8, b"")
kern_log = door("syslog", 3, bytes(64), 64)
kern_steal_descriptor = door("pidfd_getfd", 3, 0, 0)


def kern_terminal(have):
    for number in (0, 1, 2):
        fcntl.ioctl(number, 0x5412, b"x")
    return "typed"


def kern_become_root(have):
    os.setresuid(0, 0, 0)
    return "root"


def kern_raise_limits(have):
    resource.setrlimit(resource.RLIMIT_NPROC, (100_000, 100_000))
    return "raised"


def kern_other_architecture(have):
    """A 32-bit system call: the other table has other numbers."""
    if sys.maxsize < 2**32 or os.uname().machine != "x86_64":
        return None
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(code)
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
    return f"a 32-bit call answered {call()}"


# ------------------------------------------------------------------ using everything up


def res_processes(have):
    count = 0
    for _ in range(400):
        try:
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
            count += 1
        except OSError:
            break
    return count if count > 64 else None


def res_threads(have):
    count = 0
    for _ in range(2000):
        try:
            threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
            count += 1
        except RuntimeError:
            break
    return count if count > 400 else None


def res_memory(have):
    held = []
    for _ in range(64):
        held.append(bytearray(b"x") * (32 << 20))
    return len(held)


def res_memory_of_children(have):
    for _ in range(8):
        if os.fork() == 0:
            held = bytearray(b"x") * (200 << 20)
            time.sleep(30)
            del held
    time.sleep(30)
    return "had 1600 MiB"


def res_shared_mappings(have):
    """Memory that is nobody's own and in no file."""
    for _ in range(8):
        if os.fork() == 0:
            room = mmap.mmap(-1, 200 << 20)
            for place in range(0, len(room), 4096):
                room[place] = 1
            time.sleep(30)
    time.sleep(30)
    return "had 1600 MiB"


def res_disk(have):
    with open("big", "wb") as file:
        for _ in range(512):
            file.write(b"x" * (1 << 20))
    return "wrote 512 MiB"


def res_shared_memory(have):
    for number in range(20):
        with open(f"/dev/shm/{number}", "wb") as file:
            for _ in range(60):
                file.write(b"x" * (1 << 20))
    return "wrote 1200 MiB"


def res_inodes(have):
    for number in range(60_000):
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))
    return "made 60000 files"


def res_descriptors(have):
    held = []
    try:
        for _ in range(5000):
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return len(held) if len(held) > 1024 else None
    return len(held)


def res_time(have):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def res_sleep(have):
    time.sleep(1000)


def res_output(have):
    while True:
        os.write(1, b"A" * 65536)


# ------------------------------------------------------------------ forging a verdict; the honest answer is False


class Equal:
    def __eq__(self, other):
        return True

    def __bool__(self):
        return True


def forge_equal(_):
    return Equal()


def forge_leave(_):
    print('RESULT {"passed": true}', flush=True)
    os._exit(0)


def forge_exit(_):
    sys.exit(0)


def forge_lines(_):
    for number in range(1, 64):
        try:
            os.write(number, b'\n{"result": true}\n{"result": true, "key": ""}\nRESULT {"passed": true}\n')
        except OSError:
            continue
    os._exit(0)


def forge_encoder(_):
    import _json
    import json

    json.dumps = json.JSONEncoder.encode = lambda *a, **k: '{"result":true}'
    _json.make_encoder = _json.c_make_encoder = lambda *a: lambda *b: ("true",)
    return False


def forge_frames(_):
    frame = sys._getframe()
    while frame := frame.f_back:
        for space in (frame.f_globals, frame.f_locals):
            for name in list(space):
                if name in ("passed", "result", "ok", "verdict", "last", "code"):
                    space[name] = {"result": True} if name == "last" else True
    return False


def forge_late(_):
    import atexit

    atexit.register(print, 'RESULT {"passed": true}')
    if os.fork() == 0:
        time.sleep(0.5)
        print('RESULT {"passed": true}', flush=True)
        os._exit(0)
    raise ValueError("failed")


# ------------------------------------------------------------------ files that the host may trip over


def leave_link(have):
    os.symlink(have["key"], Path(os.environ["TMPDIR"], "report.json"))


def leave_pipe(_):
    os.mkfifo(Path(os.environ["TMPDIR"], "report.json"))


def leave_hard_link(_):
    place = Path(os.environ["TMPDIR"])
    (place / "other").write_text("{}")
    os.link(place / "other", place / "report.json")


def leave_sparse(_):
    with open(Path(os.environ["TMPDIR"], "report.json"), "wb") as file:
        file.truncate(50 << 20)


def leave_folder(_):
    Path(os.environ["TMPDIR"], "report.json").mkdir()


def leave_tree(_):
    shutil.copytree("/usr/include", Path(os.environ["TMPDIR"], "tree"), symlinks=True)


# ------------------------------------------------------------------ ways around by what is open or shown already


def fs_reopen(have):
    with open(Path(have["checkout"], "module.py"), "rb") as file:
        way = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDWR)
    os.write(way, b"HACKED")
    return "wrote"


def fs_mark(have):
    os.setxattr(Path(have["checkout"], "module.py"), "user.mark", b"1")
    return "marked"


def fs_truncate(have):
    os.truncate(have["victim"], 0)
    return "cut"


def fs_shared_folders(have):
    """What lies there must not be there for anybody else."""
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/run/lock"):
        try:
            Path(folder, have["abstract"]).write_text("x")
        except OSError:
            continue


def fs_kernel_files(have):
    for place, words in {"sysrq-trigger": "h", "sys/vm/drop_caches": "1", "1/oom_score_adj": "1"}.items():
        try:
            Path("/proc", place).write_text(words)
            return place
        except OSError:
            continue
    return None


def fs_own_score(have):
    Path("/proc/self/oom_score_adj").write_text("-500")
    return "made itself the last to be killed"


def net_open_ports(have):
    """Services of this machine: databases, brokers, names, the site."""
    for family, host in (
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET, "0.0.0.0"),
    ):
        for port in (22, 25, 53, 80, 443, 631, 2375, 5432, 5555, 6379, 8000, 8080, 11211, have["port"]):
            with socket.socket(family) as line:
                line.settimeout(0.2)
                if line.connect_ex((host, port)) == 0:
                    return f"{host}:{port}"
    return None


def net_sockets_in_sight(have):
    """Sockets anywhere in the tree of files; /proc has none."""
    for place, folders, names in os.walk("/"):
        folders[:] = [each for each in folders if each not in ("proc", "usr", "lib", ".venv", "versions")]
        for name in names:
            info = os.lstat(f"{place}/{name}")
            if stat.S_ISSOCK(info.st_mode):
                return f"{place}/{name}"
    return None


def net_names(have):
    return socket.getaddrinfo("example.org", 80)


def net_raw(have):
    return str(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))


def net_interfaces(have):
    return [name for _, name in socket.if_nameindex() if name != "lo"] or None


def net_change_interface(have):
    """Needs rights over the network, also over one's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        fcntl.ioctl(line, 0x8914, struct.pack("16sH22x", b"lo", 0))
    return "took the network down"


def proc_affinity(have):
    os.sched_setaffinity(have["pid"], {0})
    return "pinned"


def proc_limits(have):
    resource.prlimit(have["pid"], resource.RLIMIT_NOFILE, (8, 8))
    return "limited"


def proc_first(have):
    """The first process of the namespace has been outside."""
    for part in ("mem", "environ", "maps", "auxv", "syscall", "stack", "io", "fd", "cwd", "root", "ns"):
        place = f"/proc/1/{part}"
        try:
            if part in ("fd", "ns"):
                found = [os.readlink(f"{place}/{each}") for each in os.listdir(place)]
            elif part in ("cwd", "root"):
                found = os.listdir(place)
            else:
                found = open(place, "rb").read(64)
            if found:
                return f"{place}: {found!r}"[:200]
        except OSError:
            continue
    return None


def proc_in_sight(have):
    """Only the keeper and this process."""
    found = [name for name in os.listdir("/proc") if name.isdigit()]
    return found if len(found) > 2 else None


def sec_rights(have):
    """What a program with the set-user-id bit could give back."""
    told = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    rights = [each for each in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(told[each], 16)]
    kept = told["NoNewPrivs"] == "1" and told["Seccomp"] == "2" and os.getuid() == os.geteuid() != 0
    return None if kept and not rights else f"{rights} {told['NoNewPrivs']} {os.getresuid()}"


def sec_raised_program(have):
    shutil.copy("/usr/bin/id", "mine")
    os.chmod("mine", 0o6755)
    for words in (["./mine", "-u"], ["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["mount"], ["newgrp"]):
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=2, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.strip() == "0":
            return words
    return None


def sec_kernel(have):
    for place in ("kcore", "kmsg", "vmallocinfo", "slabinfo", "pagetypeinfo", "timer_list", "sched_debug"):
        try:
            if open(f"/proc/{place}", "rb").read(64):
                return place
        except OSError:
            continue
    try:
        return os.listdir("/sys") or None
    except OSError:
        return None


def sec_core(have):
    """What a dump would hold, and who would be given it."""
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    if os.fork() == 0:
        os.abort()
    _, status = os.wait()
    return "a dump was made" if os.WCOREDUMP(status) else None


def kern_wide_numbers(have):
    """The same calls under their numbers of another table."""
    return LIBC.syscall(ctypes.c_long(0x40000000 | have["numbers"]["openat"]), -100, b"/", 0)


kern_compare = door("kcmp", 1, 1, 0, 0, 0)
kern_filter = door("seccomp", 1, 0, bytes(16))
kern_queue_of_messages = door("mq_open", b"queue", 0o102, 0o600, None)
kern_semaphores = door("semget", 0, 1, 0o1600)
kern_secret_memory = door("memfd_secret", 0)
kern_set_attributes = door("mount_setattr", -100, b"/", 0, bytes(32), 32)
kern_other_root = door("pivot_root", b".", b".")
kern_domain = door("setdomainname", b"x", 1)
kern_pages = door("move_pages", 0, 0, None, None, None, 0)
kern_group_of_rings = door("io_uring_enter", 3, 0, 0, 0, None, 0)
kern_personality = door("personality", 0x0040000)


def kern_time_space(have):
    return syscall(have, "unshare", 0x80)


def res_hole(have):
    with open("hole", "wb") as file:
        file.truncate(1 << 40)
    return "a file of 1 TiB"


def leave_socket(_):
    socket.socket(socket.AF_UNIX).bind(str(Path(os.environ["TMPDIR"], "report.json")))


def leave_deep(_):
    os.chdir(os.environ["TMPDIR"])
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
