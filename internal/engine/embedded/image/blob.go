//go:build linux

package image

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const bufferSize = 256 << 10

// blob reads a layer: the stored bytes are hashed on their way to the decompressor, and what comes out of it again.
type blob struct {
	layer   layer
	source  io.ReadCloser
	stored  *bufio.Reader // over source, hashed and bounded
	failed  *failure
	sum     hash.Hash // of the stored bytes
	diffSum hash.Hash // of the unpacked bytes
	release func()
}

// failure remembers the first error of the source, which decompressors wrap beyond recognition.
type failure struct {
	r   io.Reader
	err error
}

func (f *failure) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF && f.err == nil {
		f.err = err
	}
	return n, err
}

func (s *Store) openBlob(ctx context.Context, l layer) (*blob, error) {
	r, err := s.cfg.Source.Blob(ctx, l.repository, l.blob.Digest.String())
	if err != nil {
		return nil, fmt.Errorf("fetch blob %s of %s: %w", l.blob.Digest, l.repository, err)
	}
	b := &blob{layer: l, source: r, sum: sha256.New(), diffSum: sha256.New(), release: func() {}}
	b.failed = &failure{r: r}
	// One byte more than announced is enough to recognise a blob that is too long.
	b.stored = bufio.NewReaderSize(io.TeeReader(io.LimitReader(b.failed, l.blob.Size+1), b.sum), bufferSize)
	return b, nil
}

func (b *blob) Close() error {
	b.release()
	return b.source.Close()
}

// files gives the unpacked archive. Its format is recognised by its first bytes: media types are not always right.
func (b *blob) files() (io.Reader, error) {
	start, err := b.stored.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var files io.Reader = b.stored
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b.stored)
		if err != nil {
			return nil, err
		}
		files = z
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b.stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(512<<20))
		if err != nil {
			return nil, err
		}
		b.release = z.Close
		files = z
	}
	return io.TeeReader(files, b.diffSum), nil
}

func (b *blob) sourceErr() error { return b.failed.err }

// verifyBlob reads what is left of the blob and checks its digest.
func (b *blob) verifyBlob() error {
	_, err := io.Copy(io.Discard, b.stored)
	if err == nil {
		err = b.failed.err
	}
	if err != nil {
		return fmt.Errorf("fetch blob %s of %s: %w", b.layer.blob.Digest, b.layer.repository, err)
	}
	if got := digestOf(b.sum); got != b.layer.blob.Digest {
		return fmt.Errorf("fetch blob of %s: content has digest %s instead of %s", b.layer.repository, got, b.layer.blob.Digest)
	}
	return nil
}

func (b *blob) verifyDiffID() error {
	if got := digestOf(b.diffSum); got != b.layer.diffID {
		return imageErrorf("the image cannot run: the layer %s unpacks to %s, and its configuration says %s", b.layer.blob.Digest, got, b.layer.diffID)
	}
	return nil
}

func digestOf(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}
