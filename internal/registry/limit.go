package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

var errLayerTooLarge = errors.New("layer exceeds the limit")

// limitedBody stops reading a request's body once more than left bytes came,
// and remembers why it ended. It adds nothing to the way of the bytes.
type limitedBody struct {
	io.ReadCloser
	left     int64
	exceeded bool
	broken   error // what the connection failed with
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.exceeded {
		return 0, errLayerTooLarge
	}
	// One byte more than allowed tells "just reached" from "exceeded".
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left, b.exceeded = 0, true
		return n, errLayerTooLarge
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken = err
	}
	return n, err
}

// limit returns the body of a writing request bounded by what is left for the
// layer it belongs to, or the refusal when the client announces more.
func (r *Registry) limit(req *http.Request, rt route) (*limitedBody, *refusal) {
	left := r.config.MaxLayerBytes
	if rt.upload != "" {
		received, err := r.uploadedBytes(req.Context(), rt)
		if err != nil {
			return nil, &refusal{
				status: http.StatusInternalServerError, code: codeUnknown,
				sentence: sentenceOfFault, cause: err,
			}
		}
		left = max(0, left-received)
	}
	if req.ContentLength > left {
		return nil, r.tooLarge()
	}
	return &limitedBody{ReadCloser: req.Body, left: left}, nil
}

// tooLarge is a 413 with the code that makes clients print it and give up.
func (r *Registry) tooLarge() *refusal {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, code: codeDenied,
		sentence: fmt.Sprintf("a layer may have at most %s, compressed; this one has more", formatBytes(r.config.MaxLayerBytes)),
		// What the client is still sending is not worth reading.
		header: http.Header{"Connection": {"close"}},
	}
}

// uploadedBytes is how much of a continued upload has arrived before.
func (r *Registry) uploadedBytes(ctx context.Context, rt route) (int64, error) {
	received, err := r.images.received(ctx, uploadDir(rt))
	if err != nil {
		return 0, fmt.Errorf("measure upload to %s: %w", rt.repository, err)
	}
	return received, nil
}

// holdsRange says whether as much of an upload is stored as the answer to its
// sender claims. Distribution ignores that closing the file failed, and the
// client would be told of an invalid range with its next request.
func (r *Registry) holdsRange(ctx context.Context, rt route, claimed string) bool {
	_, last, _ := strings.Cut(claimed, "-")
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return false
	}
	received, err := r.uploadedBytes(ctx, rt)
	// "0-0" means one byte, or none.
	return err == nil && (received == end+1 || end == 0 && received == 0)
}

// dropUpload forgets an upload that cannot succeed any more, also where its
// sender is gone.
func (r *Registry) dropUpload(ctx context.Context, rt route) {
	if rt.upload == "" {
		return
	}
	if err := r.images.discard(context.WithoutCancel(ctx), uploadDir(rt)); err != nil {
		r.log.Warn("remove upload", "repository", rt.repository, "error", err)
	}
}

func formatBytes(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
