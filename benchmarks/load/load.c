/* The load generator: WebSocket clients of one kind, by the thousand, in one thread.
 *
 * Each connects, makes its opening handshake, sends one message and reads the answer; then it
 * closes, talks on, or stays. It prints one line of JSON when every client got that far (or when
 * all cycles are through), one when the server has closed as many as --closes says, and one for each
 * line on its standard input, each of the time since the last; at the end of its input it closes
 * what is open, and ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames.h"
#include "window.h"

#define EVENTS 512
#define INPUT UINT32_MAX /* the standard input among the clients of epoll */
#define BUFFER 2048
#define SOURCES 64        /* addresses 127.0.0.2 and up: more ports than TIME_WAIT can use up */
#define FIRST_DELAY 0.1   /* seconds until a client tries again, doubled each time */
#define LONGEST_DELAY 1.0
#define FAREWELL 3.0      /* seconds that the last closes may take */

enum state { WAITING, CONNECTING, OPENING, ASKING, RESTING, CLOSING, FINISHED };
enum behaviour { TO_CLOSE = 'c', TO_TALK = 't', TO_STAY = 's' };

struct client {
    enum state state;
    int socket, attempts;
    unsigned request;
    bool settled;  /* had its first answer, or gave up, or has no more to do */
    bool welcomed; /* got the first answer of this connection */
    double began, asked;
    size_t have;
    char buffer[BUFFER];
};

static struct {
    int port;
    unsigned clients, cycles, at_once, closes;
    double arrive, pause, patience;
    enum behaviour then;
    bool retry;
    const char *requests;
} options = {.clients = 64, .at_once = UINT32_MAX, .patience = 30, .then = TO_CLOSE};

static struct client *clients;
static double *due; /* when a client has to act: its arrival, next message, or deadline */
static char **requests;
static size_t *lengths;
static unsigned request_count, next_request, cycles_begun, opening, open_sockets, settled, closing;
static int poll_descriptor;
static bool stopping, accept_checked;

static void begin(struct client *client);

static void settle(struct client *client) {
    if (!client->settled) {
        client->settled = true;
        if (++settled == options.clients)
            report(open_sockets);
    }
}

/* Where cycles are counted, everybody goes on until there are enough. */
static void settle_early(struct client *client) {
    if (!options.cycles)
        settle(client);
}

static void wait_until(struct client *client, double moment) { due[client - clients] = moment; }

static void finish(struct client *client) {
    client->state = FINISHED;
    wait_until(client, INFINITY);
    settle(client);
}

/* Start over with the next credential, unless enough were used. */
static void next_cycle(struct client *client) {
    bool is_over = options.cycles ? cycles_begun >= options.cycles : options.then != TO_CLOSE;
    if (stopping || is_over)
        return finish(client);
    client->began = 0;
    client->attempts = 0;
    wait_until(client, now());
    begin(client);
}

static void drop(struct client *client) {
    opening -= client->state < RESTING && !client->welcomed;
    open_sockets -= client->welcomed;
    closing -= client->state == CLOSING;
    close(client->socket); /* which takes it from epoll */
    client->state = WAITING;
    client->have = 0;
    client->welcomed = false;
}

static void try_again(struct client *client) {
    if (stopping)
        return finish(client);
    double delay = fmin(FIRST_DELAY * exp2(client->attempts++), LONGEST_DELAY);
    wait_until(client, now() + delay * (0.5 + drand48()));
}

static void fail(struct client *client, enum failure failure) {
    bool was_closing = client->state == CLOSING, was_welcomed = client->welcomed;
    window.failed[failure]++;
    drop(client);
    if (options.retry && !was_closing && !was_welcomed)
        return try_again(client);
    if (options.then != TO_CLOSE || stopping)
        return finish(client);
    client->began = 0;
    wait_until(client, now() + 0.01); /* not at once: it may fail at once */
}

/* Told no: by an HTTP status or, once connected, by a close code. */
static void refused(struct client *client, int code) {
    bool was_welcomed = client->welcomed, is_good = requests[client->request][0] == '+';
    bool may_retry = code / 100 == 5 || code == 429 || code == 4503 || code == 4429 || code / 1000 == 1;
    window.told[code > 0 && code < CODES ? code : 0]++;
    drop(client);
    if (was_welcomed)
        return finish(client);
    if (may_retry && options.retry)
        return try_again(client);
    window.wrongly_refused += is_good && !may_retry;
    settle_early(client);
    next_cycle(client);
}

static bool transmit(struct client *client, const void *bytes, size_t length) {
    if (send(client->socket, bytes, length, MSG_NOSIGNAL) == (ssize_t)length)
        return true;
    fail(client, CUT_OFF);
    return false;
}

static bool send_frame(struct client *client, enum opcode opcode, const void *payload, size_t length) {
    uint8_t frame[160];
    return transmit(client, frame, write_frame(frame, opcode, payload, length));
}

static void ask(struct client *client) {
    client->state = ASKING;
    client->asked = now();
    wait_until(client, client->asked + options.patience);
    send_frame(client, TEXT, MESSAGE, sizeof MESSAGE - 1);
}

static void say_goodbye(struct client *client) {
    client->state = CLOSING;
    closing++;
    wait_until(client, now() + options.patience);
    send_frame(client, CLOSE, "\x03\xe8", 2);
}

static void answered(struct client *client, const struct frame *frame) {
    double moment = now();
    if (client->state != ASKING || !memmem(frame->payload, frame->length, MARKER, sizeof MARKER - 1))
        return fail(client, NONSENSE);
    client->state = RESTING;
    wait_until(client, INFINITY);
    if (client->welcomed) {
        add_sample(&window.echoes, moment - client->asked);
    } else {
        client->welcomed = true;
        opening--, open_sockets++, window.steps++;
        add_sample(&window.handshakes, moment - client->began);
        window.wrongly_admitted += requests[client->request][0] != '+';
        settle_early(client);
    }
    if (stopping || options.then == TO_CLOSE)
        say_goodbye(client);
    else if (options.then == TO_TALK && options.pause > 0)
        wait_until(client, moment + options.pause);
    else if (options.then == TO_TALK)
        ask(client);
}

/* The server has closed: it is answered in kind (5.5.1), if it still listens. */
static void sent_away(struct client *client, const struct frame *frame) {
    uint8_t answer[16];
    if (client->welcomed)
        add_end(client->request, now());
    size_t size = write_frame(answer, CLOSE, frame->payload, frame->length < 2 ? 0 : 2);
    send(client->socket, answer, size, MSG_NOSIGNAL);
    refused(client, close_code(frame));
    if (options.closes && ends.count == options.closes)
        report(open_sockets);
}

static void closed(struct client *client, const struct frame *frame) {
    if (client->state != CLOSING)
        return sent_away(client, frame);
    window.closed++, window.steps++;
    drop(client);
    next_cycle(client);
}

/* What the server sent has been understood up to here. */
static void consume(struct client *client, size_t size) {
    client->have -= size;
    memmove(client->buffer, client->buffer + size, client->have);
}

static bool read_opening(struct client *client) {
    size_t size;
    int status = read_status(client->buffer, client->have, &size);
    if (!status)
        return false;
    if (status != 101)
        return status < 0 ? fail(client, NONSENSE) : refused(client, status), false;
    if (!accept_checked && !memmem(client->buffer, size, ACCEPT, sizeof ACCEPT - 1))
        return fail(client, NONSENSE), false;
    accept_checked = true;
    window.steps++;
    consume(client, size);
    ask(client);
    return client->state == ASKING;
}

static bool read_message(struct client *client) {
    struct frame frame;
    int complete = read_frame((uint8_t *)client->buffer, client->have, &frame);
    if (complete < 0)
        fail(client, NONSENSE);
    if (complete <= 0)
        return false;
    if (frame.opcode == CLOSE)
        return closed(client, &frame), false;
    if (frame.opcode == PING) {
        if (!send_frame(client, PONG, frame.payload, frame.length))
            return false;
    } else if (frame.opcode != PONG && client->state != CLOSING) {
        answered(client, &frame);
        if (client->state == WAITING || client->state == FINISHED)
            return false;
    }
    return consume(client, frame.size), true;
}

static void on_readable(struct client *client) {
    ssize_t size = recv(client->socket, client->buffer + client->have, BUFFER - client->have, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) /* the end of a closing connection, or of one that had a buffer full of nonsense */
        return fail(client, CUT_OFF);
    client->have += (size_t)size;
    if (client->state == OPENING && !read_opening(client))
        return;
    while (client->have && read_message(client))
        ;
}

static void open_with_request(struct client *client) {
    client->state = OPENING;
    transmit(client, requests[client->request] + 1, lengths[client->request] - 1);
}

static void on_event(struct client *client, uint32_t events) {
    if (client->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP))
            return fail(client, UNREACHABLE);
        struct epoll_event event = {EPOLLIN, {.u32 = (uint32_t)(client - clients)}};
        epoll_ctl(poll_descriptor, EPOLL_CTL_MOD, client->socket, &event);
        open_with_request(client);
    } else if (client->state != WAITING && client->state != FINISHED) {
        on_readable(client);
    }
}

static void begin(struct client *client) {
    static unsigned source;
    struct sockaddr_in from = {AF_INET, 0, {htonl(0x7f000002 + source++ % SOURCES)}, {0}};
    struct sockaddr_in to = {AF_INET, htons((uint16_t)options.port), {htonl(INADDR_LOOPBACK)}, {0}};
    double moment = now();
    if (!client->began) { /* not a repeated attempt */
        client->began = due[client - clients]; /* late, if it had to wait for others */
        client->request = next_request++ % request_count;
        cycles_begun++;
    }
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(client->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    client->state = CONNECTING;
    opening++;
    wait_until(client, moment + options.patience);
    if (client->socket < 0 || bind(client->socket, (struct sockaddr *)&from, sizeof from))
        return fail(client, UNREACHABLE);
    bool connected = !connect(client->socket, (struct sockaddr *)&to, sizeof to);
    if (!connected && errno != EINPROGRESS)
        return fail(client, UNREACHABLE);
    struct epoll_event event = {connected ? EPOLLIN : EPOLLOUT, {.u32 = (uint32_t)(client - clients)}};
    epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, client->socket, &event);
    if (connected)
        open_with_request(client);
}

/* Let everybody act whose time has come. Returns when the next one's will. */
static double act_on_time(void) {
    double moment = now(), next = INFINITY;
    for (unsigned i = 0; i < options.clients; i++) {
        struct client *client = &clients[i];
        if (due[i] <= moment) {
            if (client->state == RESTING)
                ask(client);
            else if (client->state != WAITING)
                fail(client, TOO_LATE);
            else if (stopping || (options.cycles && !client->began && cycles_begun >= options.cycles))
                finish(client);
            else if (opening < options.at_once)
                begin(client);
        }
        next = fmin(next, due[i]);
    }
    return next;
}

static void on_input(void) {
    char bytes[64];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    for (ssize_t i = 0; i < size; i++)
        if (bytes[i] == '\n')
            report(open_sockets);
    if (size > 0)
        return;
    stopping = true;
    epoll_ctl(poll_descriptor, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    for (unsigned i = 0; i < options.clients; i++)
        if (clients[i].state == RESTING)
            say_goodbye(&clients[i]);
}

static void run(void) {
    static struct epoll_event events[EVENTS];
    double next = 0, last_call = INFINITY;
    while (!stopping || (open_sockets + opening + closing && now() < last_call)) {
        double wait = fmin(fmax(next - now(), 0), 0.1);
        int count = epoll_wait(poll_descriptor, events, EVENTS, (int)ceil(wait * 1000));
        for (int i = 0; i < count; i++)
            if (events[i].data.u32 == INPUT)
                on_input();
            else
                on_event(&clients[events[i].data.u32], events[i].events);
        if (stopping && isinf(last_call))
            last_call = now() + FAREWELL;
        if (next <= now() || count == 0) /* not after each event: it looks at everybody */
            next = fmax(act_on_time(), now() + 0.001);
        else
            next = fmin(next, now() + 0.001);
    }
}

/* A file of opening handshakes, each after a `+` (it is to be admitted) or `-`, and before a NUL. */
static void read_requests(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts))
        perror(path), exit(2);
    size_t size = (size_t)facts.st_size;
    char *text = malloc(size + 1);
    if (!text || read(file, text, size) != (ssize_t)size)
        perror(path), exit(2);
    text[size] = 0;
    for (char *at = text; at < text + size; at += strlen(at) + 1)
        request_count++;
    requests = calloc(request_count, sizeof *requests);
    lengths = calloc(request_count, sizeof *lengths);
    unsigned i = 0;
    for (char *at = text; at < text + size; at += strlen(at) + 1, i++)
        requests[i] = at, lengths[i] = strlen(at);
}

static void read_options(int count, char **arguments) {
    static const struct option names[] = {
        {"port", 1, 0, 'p'},    {"requests", 1, 0, 'r'}, {"clients", 1, 0, 'n'},
        {"cycles", 1, 0, 'c'},  {"arrive", 1, 0, 'a'},   {"at-once", 1, 0, 'o'},
        {"then", 1, 0, 't'},    {"pause", 1, 0, 'w'},    {"retry", 0, 0, 'y'},
        {"patience", 1, 0, 'e'}, {"closes", 1, 0, 's'}, {0, 0, 0, 0}};
    for (int name; (name = getopt_long(count, arguments, "", names, NULL)) != -1;)
        switch (name) {
        case 'p': options.port = atoi(optarg); break;
        case 'r': options.requests = optarg; break;
        case 'n': options.clients = (unsigned)atoi(optarg); break;
        case 'c': options.cycles = (unsigned)atoi(optarg); break;
        case 'a': options.arrive = atof(optarg); break;
        case 'o': options.at_once = (unsigned)atoi(optarg); break;
        case 't': options.then = (enum behaviour)optarg[0]; break;
        case 'w': options.pause = atof(optarg); break;
        case 'y': options.retry = true; break;
        case 'e': options.patience = atof(optarg); break;
        case 's': options.closes = (unsigned)atoi(optarg); break;
        default: exit(2);
        }
    if (!options.port || !options.requests)
        fprintf(stderr, "load: --port and --requests are needed\n"), exit(2);
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    read_options(count, arguments);
    read_requests(options.requests);
    clients = calloc(options.clients, sizeof *clients);
    due = calloc(options.clients, sizeof *due);
    poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event input = {EPOLLIN, {.u32 = INPUT}};
    epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    open_window();
    for (unsigned i = 0; i < options.clients; i++)
        due[i] = window.began + options.arrive * i / options.clients;
    run();
    return 0;
}
