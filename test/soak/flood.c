/*
 * Connects to a port of this host over and over, as a client that means no good, and prints what
 * came of it as JSON. Only loopback, and for a limited time.
 *
 *   flood PORT SOURCE SOURCES AT_ONCE RATE HOLD_MS MANNER SECONDS [REQUEST]
 *
 * Connects from SOURCE (127.x.y.z) and the addresses after it, SOURCES in all, in turn. Keeps at
 * most AT_ONCE connections open and opens at most RATE a second. Each is closed after HOLD_MS and
 * opened anew. REQUEST, in hexadecimal, is sent on each. MANNER is what it does meanwhile:
 *
 *   read   reads, and closes as soon as the other end does
 *   hold   reads, and does not close before its time is over
 *   drip   the same, but sends a byte of REQUEST every 300 ms
 *   pile   reads, and sends REQUEST over and over, as much as the other end takes
 *   deaf   never reads: small segments and a small receive buffer, so that as little as possible
 *          fits into the kernel's buffers at either end
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 512
#define SECONDS_MAX 600
#define DRIP_S 0.3
#define BURST_S 0.05
#define PILE_BYTES 65536

struct client {
	int fd;
	int connected;
	size_t sent;
	double began;
};

static struct sockaddr_in target;
static unsigned char request[REQUEST_MAX];
static size_t request_length;
static unsigned char pile[PILE_BYTES];
static size_t pile_length;
static int deaf, holds, drips, piles, open_now, most, poll_fd;
static long opened, connected, failed, ended;

static double now_s(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void finish(struct client *one)
{
	close(one->fd);
	one->fd = -1;
	open_now--;
}

static void start(struct client *one, in_addr_t source)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = source };
	struct epoll_event event = { .events = EPOLLOUT | EPOLLIN | EPOLLRDHUP, .data.ptr = one };
	int small = 1, small_segment = 88, yes = 1;
	one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (one->fd < 0)
		fail("socket");
	opened++;
	open_now++;
	if (open_now > most)
		most = open_now;
	one->connected = 0;
	one->sent = 0;
	one->began = now_s();
	if (deaf) {
		setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
		setsockopt(one->fd, IPPROTO_TCP, TCP_MAXSEG, &small_segment, sizeof small_segment);
	}
	/* The port is chosen when it connects: so that it may be one in use towards another end. */
	setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
	if (bind(one->fd, (struct sockaddr *)&from, sizeof from) < 0)
		fail("bind");
	if ((connect(one->fd, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS) ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &event) < 0) {
		failed++;
		finish(one);
	}
}

/* Whether it is still there. */
static int send_to(struct client *one)
{
	const unsigned char *bytes = piles ? pile : request + one->sent;
	size_t length = piles ? pile_length : drips ? 1 : request_length;
	ssize_t written;
	if (!piles && one->sent >= request_length)
		return 1;
	written = send(one->fd, bytes, length, MSG_NOSIGNAL);
	if (written > 0)
		one->sent += (size_t)written;
	if (written >= 0 || errno == EAGAIN)
		return 1;
	ended++;
	finish(one);
	return 0;
}

static void attend(struct client *one, unsigned happened)
{
	struct epoll_event event = { .events = EPOLLRDHUP | (deaf ? 0 : EPOLLIN), .data.ptr = one };
	char bytes[4096];
	if (happened & (EPOLLERR | EPOLLHUP)) {
		if (one->connected)
			ended++;
		else
			failed++;
		finish(one);
		return;
	}
	if (happened & EPOLLOUT) {
		connected += !one->connected;
		one->connected = 1;
		if (!send_to(one))
			return;
		if (!piles)
			epoll_ctl(poll_fd, EPOLL_CTL_MOD, one->fd, &event);
	}
	while (!deaf && read(one->fd, bytes, sizeof bytes) > 0)
		;
	if (happened & EPOLLRDHUP) {
		if (!holds && !deaf) {
			ended++;
			finish(one);
			return;
		}
		/* It has heard all, and would be told of the end over and over. */
		event.events = 0;
		epoll_ctl(poll_fd, EPOLL_CTL_MOD, one->fd, &event);
	}
}

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	(void)number;
	told_to_end = 1;
}

int main(int argc, char **argv)
{
	if (argc < 9 || argc > 10 || strncmp(argv[2], "127.", 4) != 0) {
		fprintf(stderr, "usage: flood PORT 127.X.Y.Z SOURCES AT_ONCE RATE HOLD_MS read|hold|drip|pile|deaf SECONDS [REQUEST]\n");
		return 2;
	}
	target.sin_family = AF_INET;
	target.sin_port = htons((unsigned short)atoi(argv[1]));
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in_addr_t first = ntohl(inet_addr(argv[2]));
	int sources = atoi(argv[3]), at_once = atoi(argv[4]);
	double rate = atof(argv[5]), hold = atof(argv[6]) / 1000;
	deaf = strcmp(argv[7], "deaf") == 0;
	holds = strcmp(argv[7], "hold") == 0;
	drips = strcmp(argv[7], "drip") == 0;
	piles = strcmp(argv[7], "pile") == 0;
	double seconds = atof(argv[8]) < SECONDS_MAX ? atof(argv[8]) : SECONDS_MAX;
	const char *hex = argc > 9 ? argv[9] : "";
	while (sscanf(hex, "%2hhx", &request[request_length]) == 1 && request_length < REQUEST_MAX - 1) {
		request_length++;
		hex += 2;
	}
	while (piles && pile_length + request_length <= PILE_BYTES) {
		memcpy(pile + pile_length, request, request_length);
		pile_length += request_length;
	}
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	struct client *all = calloc((size_t)at_once, sizeof *all);
	struct epoll_event *events = calloc((size_t)at_once, sizeof *events);
	poll_fd = epoll_create1(0);
	if (!all || !events || poll_fd < 0)
		fail("epoll");
	for (int i = 0; i < at_once; i++)
		all[i].fd = -1;
	/* Who has seen enough ends it before its time. */
	signal(SIGTERM, on_signal);
	/* What it did not open in time is not made up for: that would be another rate. */
	double began = now_s(), now = began, before = began, may_open = 0;
	while (!told_to_end && (now = now_s()) - began < seconds) {
		may_open += rate * (now - before);
		if (may_open > rate * BURST_S)
			may_open = rate * BURST_S;
		before = now;
		for (int i = 0; i < at_once; i++) {
			struct client *one = &all[i];
			if (one->fd >= 0 && now - one->began > hold)
				finish(one);
			if (one->fd >= 0 && drips && one->connected &&
			    now - one->began > DRIP_S * (double)one->sent)
				send_to(one);
			if (one->fd < 0 && may_open >= 1) {
				may_open -= 1;
				start(one, htonl(first + (in_addr_t)(opened % sources)));
			}
		}
		int count = epoll_wait(poll_fd, events, at_once, 2);
		for (int i = 0; i < count; i++) {
			struct client *one = events[i].data.ptr;
			if (one->fd >= 0)
				attend(one, events[i].events);
		}
	}
	printf("{\"opened\":%ld,\"connected\":%ld,\"failed\":%ld,\"ended\":%ld,\"most\":%d}\n", opened,
	       connected, failed, ended, most);
	return 0;
}
