/*
 * Runs a command over and over, as xinetd does for each check, and prints the times as JSON:
 * microseconds of the wall clock, and of the processor for all runs together.
 *
 *   repeat TOTAL PROGRAM [ARGUMENT ...]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static int ascending(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;
	return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: repeat TOTAL PROGRAM [ARGUMENT ...]\n");
		return 2;
	}
	int total = atoi(argv[1]), failed = 0;
	double *took = calloc((size_t)total, sizeof *took), cpu = 0, began = now_us();
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	for (int run = 0; run < total; run++) {
		struct rusage used;
		pid_t child;
		int status;
		double at = now_us();
		if (posix_spawnp(&child, argv[2], &quiet, NULL, argv + 2, environ) != 0) {
			fprintf(stderr, "repeat: can't start %s\n", argv[2]);
			return 1;
		}
		if (wait4(child, &status, 0, &used) < 0 || status != 0)
			failed++;
		took[run] = now_us() - at;
		cpu += used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec;
		cpu += used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec;
	}
	double us = now_us() - began;
	qsort(took, (size_t)total, sizeof *took, ascending);
	printf("{\"answered\":%d,\"lost\":%d,\"tookUs\":%.0f,\"medianUs\":%.1f,\"p99Us\":%.1f,"
	       "\"maxUs\":%.1f,\"cpuUs\":%.0f}\n",
	       total - failed, failed, us, took[total / 2], took[(int)(0.99 * (total - 1))],
	       took[total - 1], cpu);
	return 0;
}
