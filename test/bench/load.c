/*
 * Asks a port over and over, so many connects at once, and prints what came of it as JSON.
 *
 *   load PORT AT_ONCE TOTAL [REQUEST]
 *
 * Each connect reads to the end. With a REQUEST, which is given in hexadecimal, it sends that and
 * reads the first bytes, because such a server may go on waiting for more. Times in microseconds, from before socket()
 * to after the last byte. `lost`: refused, reset before a byte, closed without one, or hung.
 * `stalled`: slower than half a second, as a connect is whose SYN was dropped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HUNG_US 5000000.0
#define STALLED_US 500000.0
#define SAID_MAX 64
#define REQUEST_MAX 512

struct asking {
	int fd;
	int sent;
	size_t length;
	char said[SAID_MAX];
	double began;
};

static struct sockaddr_in target;
static unsigned char request[REQUEST_MAX];
static size_t request_length;
static int done, lost, stalled, odd, kept;
static double *took;
static char first[SAID_MAX + 1];

static double now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void finish(struct asking *one)
{
	double us = now_us() - one->began;
	done++;
	close(one->fd);
	one->fd = -1;
	if (one->length == 0) {
		lost++;
		return;
	}
	if (first[0] == 0)
		memcpy(first, one->said, one->length);
	if (!request_length && strncmp(first, one->said, one->length) != 0)
		odd++;
	if (us > STALLED_US)
		stalled++;
	took[kept++] = us;
}

/* 1 when there is no more to come. */
static int hear(struct asking *one)
{
	char bytes[4096];
	for (;;) {
		ssize_t got = read(one->fd, bytes, sizeof bytes);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (got <= 0)
			return 1;
		size_t room = SAID_MAX - one->length;
		size_t more = (size_t)got < room ? (size_t)got : room;
		memcpy(one->said + one->length, bytes, more);
		one->length += more;
		if (request_length)
			return 1;
	}
}

static void speak(struct asking *one)
{
	if (write(one->fd, request, request_length) < 0)
		perror("load");
	one->sent = 1;
}

static void decode(const char *hex)
{
	while (sscanf(hex, "%2hhx", &request[request_length]) == 1 && request_length < REQUEST_MAX - 1) {
		request_length++;
		hex += 2;
	}
}

/* 0 when it has failed already. */
static int ask(struct asking *one, int flags)
{
	memset(one, 0, sizeof *one);
	one->began = now_us();
	one->fd = socket(AF_INET, SOCK_STREAM | flags, 0);
	if (one->fd < 0)
		fail("socket");
	if (connect(one->fd, (struct sockaddr *)&target, sizeof target) < 0 &&
	    errno != EINPROGRESS) {
		finish(one);
		return 0;
	}
	return 1;
}

static void one_by_one(int total)
{
	struct timeval limit = { .tv_sec = (long)(HUNG_US / 1e6) };
	struct asking one;
	while (done < total) {
		if (!ask(&one, 0))
			continue;
		setsockopt(one.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		if (request_length)
			speak(&one);
		hear(&one);
		finish(&one);
	}
}

static void many(int at_once, int total)
{
	struct asking *all = calloc((size_t)at_once, sizeof *all);
	struct epoll_event *events = calloc((size_t)at_once, sizeof *events);
	int poll = epoll_create1(0), begun = 0;
	double swept = now_us();
	if (!all || !events || poll < 0)
		fail("epoll");
	for (int i = 0; i < at_once; i++)
		all[i].fd = -1;
	while (done < total) {
		for (int i = 0; i < at_once && begun < total; i++) {
			struct epoll_event wanted = { .data.ptr = &all[i] };
			if (all[i].fd >= 0)
				continue;
			begun++;
			if (!ask(&all[i], SOCK_NONBLOCK))
				continue;
			wanted.events = request_length ? EPOLLOUT : EPOLLIN;
			if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &wanted) < 0)
				fail("epoll_ctl");
		}
		int ready = epoll_wait(poll, events, at_once, 100);
		for (int i = 0; i < ready; i++) {
			struct asking *one = events[i].data.ptr;
			struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = one };
			if (request_length && !one->sent) {
				speak(one);
				epoll_ctl(poll, EPOLL_CTL_MOD, one->fd, &wanted);
			} else if (hear(one))
				finish(one);
		}
		if (now_us() - swept < 100000)
			continue;
		swept = now_us();
		for (int i = 0; i < at_once; i++)
			if (all[i].fd >= 0 && swept - all[i].began > HUNG_US) {
				all[i].length = 0;
				finish(&all[i]);
			}
	}
}

static int ascending(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;
	return (difference > 0) - (difference < 0);
}

static double percentile(double share)
{
	return kept == 0 ? 0 : took[(int)(share * (kept - 1))];
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: load PORT AT_ONCE TOTAL [REQUEST]\n");
		return 2;
	}
	int at_once = atoi(argv[2]), total = atoi(argv[3]);
	if (argc > 4)
		decode(argv[4]);
	target.sin_family = AF_INET;
	target.sin_port = htons((unsigned short)atoi(argv[1]));
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	took = calloc((size_t)total, sizeof *took);
	if (!took)
		fail("calloc");
	double began = now_us();
	if (at_once == 1)
		one_by_one(total);
	else
		many(at_once, total);
	double us = now_us() - began;
	qsort(took, (size_t)kept, sizeof *took, ascending);
	printf("{\"answered\":%d,\"lost\":%d,\"stalled\":%d,\"odd\":%d,\"tookUs\":%.0f,"
	       "\"medianUs\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f}\n",
	       kept, lost, stalled, odd, us, percentile(0.5), percentile(0.99), percentile(1));
	return 0;
}
