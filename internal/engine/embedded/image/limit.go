//go:build linux

package image

import (
	"archive/tar"
	"errors"
	"io"
	"strconv"
	"strings"
)

// errTooLarge ends the unpacking of an image that grows beyond the limits.
var errTooLarge = errors.New("image exceeds the limits")

// budget is what an image may still take.
type budget struct {
	bytes      int64
	entries    int
	max        int64
	maxEntries int
}

// exceeded says which limit is broken, for people.
func (b *budget) exceeded() error {
	switch {
	case b.bytes < 0:
		return imageErrorf("the image is too large: unpacked it takes more than %s, the limit of this server", size(b.max))
	case b.entries < 0:
		return imageErrorf("the image is too large: it has more than %d files, the limit of this server", b.maxEntries)
	}
	return nil
}

// meter counts what a layer takes, before it is written.
type meter struct {
	left          budget
	bytes, stream int64
	entries       int
}

// accept is the filter of archive.Apply: it counts an entry by its logical size, so that sparse files cannot cheat, and
// leaves out what would change the meaning of overlayfs.
func (m *meter) accept(h *tar.Header) (bool, error) {
	m.entries++
	m.left.entries--
	if h.Typeflag == tar.TypeReg {
		m.bytes += h.Size
		m.left.bytes -= h.Size
	}
	if m.left.exceeded() != nil {
		return false, errTooLarge
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.xattr.trusted.") {
			delete(h.PAXRecords, key)
		}
	}
	whiteout := h.Typeflag == tar.TypeChar && h.Devmajor == 0 && h.Devminor == 0
	return !whiteout, nil
}

// reader bounds the unpacked stream itself: headers and padding are no files, but cost time.
func (m *meter) reader(r io.Reader) io.Reader { return &metered{r: r, m: m} }

type metered struct {
	r io.Reader
	m *meter
}

func (r *metered) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.m.stream += int64(n); r.m.stream > r.m.left.max+streamOverhead {
		r.m.left.bytes = -1
		return 0, errTooLarge
	}
	return n, err
}

// streamOverhead is what headers and padding may take on top of the files.
const streamOverhead = 1 << 30

func size(n int64) string {
	const unit = "KMGT"
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	i := -1
	for n >= 1<<10 && i < len(unit)-1 {
		n >>= 10
		i++
	}
	return strconv.FormatInt(n, 10) + " " + unit[i:i+1] + "iB"
}
