# The one binary in an image without a shell. The toolchain stage and the runtime stage share Debian 12's C library.
FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package agenttrader

FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
COPY --from=build /src/target/dist/agenttrader /usr/local/bin/agenttrader
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/agenttrader"]
