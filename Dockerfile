# The image of a Wallaby node. `docker/build` builds it, also where there is no registry: then the
# last stage, which begins at `FROM scratch`, is fed with a binary that was built outside.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /source
ENV CARGO_TARGET_DIR=/target
ARG FEATURES=""

# The dependencies first, in a layer that only a change of the manifests makes anew.
COPY Cargo.toml Cargo.lock ./
COPY core/Cargo.toml core/
COPY data/Cargo.toml data/
COPY train/Cargo.toml train/
COPY links/Cargo.toml links/
COPY actors/Cargo.toml actors/
RUN for crate in . core data train links actors; do mkdir -p $crate/src && touch $crate/src/lib.rs; done \
    && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked --features "$FEATURES" --bin wallaby

COPY . .
# Newer than the empty crates, whatever the times of the files are.
RUN find . -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --features "$FEATURES" --bin wallaby \
    && docker/image /target/release/wallaby /image

# With CUDA: the driver comes from the host, the compiler of kernels and its headers from here.
FROM build AS build-cuda
RUN cargo build --release --locked --features cuda --bin wallaby \
    && docker/image /target/release/wallaby /image

FROM nvidia/cuda:12.9.1-runtime-ubuntu24.04 AS cuda
RUN apt-get update \
    && apt-get install -y --no-install-recommends cuda-cudart-dev-12-9 cuda-nvrtc-12-9 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-cuda /image/root/usr/local/bin /usr/local/bin
COPY --from=build-cuda /image/root/etc/wallaby /etc/wallaby
COPY --from=build-cuda /image/root/wallaby /wallaby
COPY --from=build-cuda --chown=10001:10001 /image/data /data
ENV CUDA_PATH=/usr/local/cuda
WORKDIR /wallaby
USER 10001:10001
ENTRYPOINT ["wallaby"]
CMD ["--help"]

# With Vulkan: Mesa's drivers; NVIDIA's comes from the host.
FROM build AS build-vulkan
RUN cargo build --release --locked --features wgpu --bin wallaby \
    && docker/image /target/release/wallaby /image

FROM debian:12.11-slim AS vulkan
RUN apt-get update \
    && apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-vulkan /image/root/usr/local/bin /usr/local/bin
COPY --from=build-vulkan /image/root/etc/wallaby /etc/wallaby
COPY --from=build-vulkan /image/root/wallaby /wallaby
COPY --from=build-vulkan --chown=10001:10001 /image/data /data
WORKDIR /wallaby
USER 10001:10001
ENTRYPOINT ["wallaby"]
CMD ["--help"]

# Without: the binary, the libraries that it links, and nothing else.
FROM scratch AS wallaby
COPY --from=build /image/root/ /
COPY --from=build --chown=10001:10001 /image/data /data
LABEL org.opencontainers.image.title="Wallaby" \
      org.opencontainers.image.description="Fault-tolerant hyper-parameter optimisation by model hopper parallelism" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENV PATH=/usr/local/bin
WORKDIR /wallaby
USER 10001:10001
ENTRYPOINT ["wallaby"]
CMD ["--help"]
