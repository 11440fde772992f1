/*
 * The least that a program can do to answer on a port: accept, write, close.
 *
 *   floor PORT
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char word[] = "MASTER";
	int on = 1, port = argc > 1 ? atoi(argv[1]) : 0;
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	int server = socket(AF_INET, SOCK_STREAM, 0);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(server, (struct sockaddr *)&here, sizeof here) < 0 || listen(server, 4096) < 0) {
		perror("floor");
		return 1;
	}
	for (;;) {
		int client = accept(server, NULL, NULL);
		if (client < 0)
			continue;
		if (write(client, word, sizeof word - 1) < 0)
			perror("floor");
		close(client);
	}
}
