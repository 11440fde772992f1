/*
 * Loaded into Node by LD_PRELOAD: a system that has nothing more to give, while the test says so.
 *
 * SHORTAGE names a symbolic link. While it leads to a number, each call that would open something,
 * or start a process, fails with that errno; with ENOMEM so does what reads or looks up. While it
 * leads to a number, a blank and the beginning of a path, only the files there can't be opened.
 * Connections are accepted all the same, for they are how the test asks. What Node starts is
 * spared.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static char switch_path[4096];

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("SHORTAGE");
	size_t length = 0;
	/* `env` finds Node, and has to leave this to it. */
	if (!path || program_invocation_short_name[0] != 'n')
		return;
	while (path[length] && length + 1 < sizeof switch_path) {
		switch_path[length] = path[length];
		length++;
	}
	unsetenv("LD_PRELOAD");
}

static int shortage(int only, const char *path)
{
	char target[256];
	int before = errno;
	ssize_t length = switch_path[0] ? readlink(switch_path, target, sizeof target - 1) : -1;
	errno = before;
	if (length <= 0)
		return 0;
	target[length] = 0;
	int number = atoi(target);
	const char *where = strchr(target, ' ');
	if (number == 0 || (only && number != only))
		return 0;
	if (where && (!path || strncmp(path, where + 1, strlen(where + 1)) != 0))
		return 0;
	errno = number;
	return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return shortage(0, path) ? -1 : NEXT(open64)(path, flags, mode);
}

int scandir64(const char *path, struct dirent64 ***found, int (*filter)(const struct dirent64 *),
	      int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
	return shortage(0, path) ? -1 : NEXT(scandir64)(path, found, filter, compare);
}

int socket(int domain, int type, int protocol)
{
	return shortage(0, NULL) ? -1 : NEXT(socket)(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
	return shortage(0, NULL) ? -1 : NEXT(socketpair)(domain, type, protocol, ends);
}

int pipe2(int ends[2], int flags)
{
	return shortage(0, NULL) ? -1 : NEXT(pipe2)(ends, flags);
}

int inotify_add_watch(int descriptor, const char *path, uint32_t mask)
{
	return shortage(0, NULL) ? -1 : NEXT(inotify_add_watch)(descriptor, path, mask);
}

pid_t fork(void)
{
	return shortage(0, NULL) ? -1 : NEXT(fork)();
}

ssize_t pread64(int descriptor, void *bytes, size_t length, off64_t at)
{
	return shortage(ENOMEM, NULL) ? -1 : NEXT(pread64)(descriptor, bytes, length, at);
}

long syscall(long number, ...)
{
	long a[6];
	va_list rest;
	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (number == SYS_statx && shortage(ENOMEM, NULL))
		return -1;
	return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
