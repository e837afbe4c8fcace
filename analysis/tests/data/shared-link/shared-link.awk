# Three sources send requests over two links. The latency of the shared link is as many milliseconds as it has
# sources; that of the private links is 3.3 ms, however many take one. `routes` says who takes the shared link
# (1) and who a private one (0). Every request's latency is drawn around the link's mean, by the seed alone, so
# that every profile of a block has the same noise.
BEGIN {
    srand(seed)
    split(routes, shared, " ")
    count = shared[1] + shared[2] + shared[3]
    for (request = 0; request < 200; request++) {
        for (source = 1; source <= 3; source++) {
            noise = 0.5 + rand()
            latency = (shared[source] ? count : 3.3) * noise
            printf "{\"arrival_time_ms\": %d, \"e2e_latency_ms\": %.9f, \"output_length\": 1, \"source\": \"%d\"}\n", \
                request * 10, latency, source
        }
    }
}
