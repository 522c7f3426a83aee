/* Holds a task's own program back until somebody is connected to it, then is that program.
 *
 *   latch WORD FACES COLUMNS ROWS PROGRAM [ARGUMENT...]   waits and executes; FACES is how many of output and errors are read
 *   latch hangup                                          tells the program that its terminal is closed
 *
 * A cluster connects to programs that run, never to one that is about to. So whoever connects writes '?', and again, until a line "WORD?"
 * has come back on all that it reads: then it knows that nothing will be lost, and writes '!'. What follows the line "WORD!" is the
 * program's, as is all that is typed then.
 *
 * It stands on the kernel alone, as there may be nothing else in an image. Why a program cannot be executed is written to where the
 * cluster reads last words from.
 */

#define LAST_WORDS "/dev/termination-log"
#define UNRUN "setops-latch: "

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, NOBODY_CAME = 1 };
enum { EACCES = 13, ENOENT = 2, ENOTDIR = 20, SIGHUP = 1, SIGTERM = 15, X_OK = 1, O_WRONLY = 1, AT_FDCWD = -100 };
enum { TCGETS = 0x5401, TCSETS = 0x5402, TIOCSWINSZ = 0x5414, ICANON = 2, ECHO = 8, ISIG = 1, ICRNL = 0x100 };

#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_rt_sigaction = 13, SYS_ioctl = 16, SYS_execve = 59, SYS_kill = 62, SYS_exit = 231, SYS_openat = 257, SYS_faccessat = 269 };

static long call(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return n;
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#elif defined(__aarch64__)
enum { SYS_read = 63, SYS_write = 64, SYS_rt_sigaction = 134, SYS_ioctl = 29, SYS_execve = 221, SYS_kill = 129, SYS_exit = 94, SYS_openat = 56, SYS_faccessat = 48 };

static long call(long n, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tb begin\n");
#endif

static long length(const char *s)
{
	long n = 0;
	while (s[n])
		n++;
	return n;
}

static long write_all(long to, const char *s) { return call(SYS_write, to, (long)s, length(s), 0); }

static void leave(long code)
{
	for (;;)
		call(SYS_exit, code, 0, 0, 0);
}

/* The first process of a container is deaf to signals that it does not look after. */
static void told_to_end(int signal) { leave(128 + signal); }

struct action {
	void (*handler)(int);
	unsigned long flags;
#if defined(__x86_64__)
	void (*restorer)(void);
#endif
	unsigned long mask;
};

static void look_after(int signal)
{
	struct action a = {.handler = told_to_end};
#if defined(__x86_64__)
	a.flags = 0x04000000; /* SA_RESTORER: without one the kernel calls no handler. Ours never returns. */
	a.restorer = (void (*)(void))told_to_end;
#endif
	call(SYS_rt_sigaction, signal, (long)&a, 0, sizeof a.mask);
}

static void unrun(const char *program, long error)
{
	const char *why = ": it cannot be executed";
	long code = NOT_EXECUTABLE, to;
	if (error == -ENOENT || error == -ENOTDIR) {
		why = ": no such file or directory";
		code = NOT_FOUND;
	} else if (error == -EACCES) {
		why = ": permission denied";
	}
	to = call(SYS_openat, AT_FDCWD, (long)LAST_WORDS, O_WRONLY, 0);
	if (to >= 0) {
		write_all(to, UNRUN);
		write_all(to, program);
		write_all(to, why);
	}
	leave(code);
}

enum { LONGEST = 4096 };

/* Gives the file that a name stands for, as a shell would find it, or the error why there is none. */
static long locate(const char *name, char **environment, char found[LONGEST])
{
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	long i, error = -ENOENT;
	for (i = 0; name[i]; i++)
		if (name[i] == '/') {
			path = "";
			break;
		}
	for (; *path && *environment; environment++) {
		const char *e = *environment;
		if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' && e[4] == '=') {
			path = e + 5;
			break;
		}
	}
	for (;;) {
		long n = 0;
		for (; *path && *path != ':' && n < LONGEST - 2; path++)
			found[n++] = *path;
		if (n)
			found[n++] = '/';
		for (i = 0; name[i] && n < LONGEST - 1; i++)
			found[n++] = name[i];
		found[n] = 0;
		i = call(SYS_faccessat, AT_FDCWD, (long)found, X_OK, 0);
		if (i == 0)
			return 0;
		if (i == -EACCES)
			error = i;
		if (*path++ != ':')
			return error;
	}
}

struct termios {
	unsigned input, output, control, local;
	unsigned char line, characters[19];
};

static unsigned short number(const char *s)
{
	unsigned n = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (unsigned)(*s - '0');
	return (unsigned short)n;
}

/* Answers each until there is an '!'. */
static void await(const char *word, int faces)
{
	for (;;) {
		char c;
		if (call(SYS_read, 0, (long)&c, 1, 0) <= 0)
			leave(NOBODY_CAME);
		for (int face = 1; face <= faces; face++) {
			write_all(face, word);
			write_all(face, c == '!' ? "!\n" : "?\n");
		}
		if (c == '!')
			return;
	}
}

static void hold(char **words, char **environment)
{
	static char program[LONGEST];
	struct termios before, silent;
	unsigned short size[4] = {number(words[4]), number(words[3]), 0, 0};
	int terminal = call(SYS_ioctl, 0, TCGETS, (long)&before, 0) == 0;
	long error = locate(words[5], environment, program);
	if (error)
		unrun(words[5], error);
	look_after(SIGTERM);
	look_after(SIGHUP);
	if (terminal) {
		silent = before;
		silent.local &= ~(unsigned)(ICANON | ECHO | ISIG);
		call(SYS_ioctl, 0, TCSETS, (long)&silent, 0);
	}
	await(words[1], number(words[2]));
	if (terminal) {
		if (size[0] && size[1])
			call(SYS_ioctl, 0, TIOCSWINSZ, (long)size, 0);
		call(SYS_ioctl, 0, TCSETS, (long)&before, 0);
	}
	unrun(words[5], call(SYS_execve, (long)program, (long)(words + 5), (long)environment, 0));
}

__attribute__((noreturn, used)) void begin(long *stack)
{
	long count = stack[0];
	char **words = (char **)(stack + 1);
	if (count > 5)
		hold(words, words + count + 1);
	leave(count == 2 ? call(SYS_kill, 1, SIGHUP, 0, 0) : NOT_FOUND);
	for (;;)
		;
}
