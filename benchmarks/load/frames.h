/* RFC 6455 as a client speaks it: masked frames out, unmasked frames and one HTTP answer in.
 *
 * No sockets here. The handshake's key is the RFC's own example, so that its answer is known.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define MARKER "0123456789abcdef"
#define MESSAGE "{\"command\": \"Say hello !\", \"data_string\": \"" MARKER "\"}"

enum opcode { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct frame {
    enum opcode opcode;
    const uint8_t *payload;
    size_t length;
    size_t size; /* with its header */
};

/* The size of a masked frame (5.2, 5.3), written to `out`, which has 8 bytes more than the payload. */
static inline size_t write_frame(uint8_t *out, enum opcode opcode, const void *payload, size_t length) {
    static uint32_t mask = 2463534242u;
    mask ^= mask << 13, mask ^= mask >> 17, mask ^= mask << 5;
    out[0] = 0x80 | opcode;
    out[1] = 0x80 | (uint8_t)length; /* we send no more than 125 bytes */
    memcpy(out + 2, &mask, 4);
    for (size_t i = 0; i < length; i++)
        out[6 + i] = ((const uint8_t *)payload)[i] ^ out[2 + i % 4];
    return 6 + length;
}

/* 1 and the frame, 0 if it is not complete yet, -1 if no server may send it so. */
static inline int read_frame(const uint8_t *in, size_t have, struct frame *frame) {
    if (have < 2)
        return 0;
    size_t head = 2, length = in[1];
    if (!(in[0] & 0x80) || (in[0] & 0x70) || length > ((in[0] & 0x08) ? 125 : 126))
        return -1; /* fragmented, extended, masked, or longer than any answer */
    if (length == 126) {
        if (have < 4)
            return 0;
        length = in[2] << 8 | in[3];
        head = 4;
    }
    *frame = (struct frame){in[0] & 0x0f, in + head, length, head + length};
    return have >= frame->size;
}

/* The code of a close frame; 1005 where it has none (7.1.5). */
static inline int close_code(const struct frame *frame) {
    return frame->length < 2 ? 1005 : frame->payload[0] << 8 | frame->payload[1];
}

/* The HTTP status, and the size of its head; 0 if that is not complete yet, -1 if it is no HTTP. */
static inline int read_status(const char *in, size_t have, size_t *size) {
    const char *end = memmem(in, have, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *size = (size_t)(end - in) + 4;
    return memcmp(in, "HTTP/1.", 7) ? -1 : atoi(in + 9);
}

#endif
