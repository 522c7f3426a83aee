package s3test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// copyingParts adds UploadPartCopy, by which large layers are moved and uploads are resumed: gofakes3 would take it for an empty
// part.
type copyingParts struct {
	server *Server
	next   http.Handler
}

func (c copyingParts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source := r.Header.Get("X-Amz-Copy-Source")
	if r.Method != http.MethodPut || source == "" || r.URL.Query().Get("partNumber") == "" {
		c.next.ServeHTTP(w, r)
		return
	}
	part, err := c.part(source, r.Header.Get("X-Amz-Copy-Source-Range"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r = r.Clone(r.Context())
	r.Header = http.Header{"Content-Length": {strconv.Itoa(len(part))}}
	r.ContentLength, r.Body = int64(len(part)), io.NopCloser(strings.NewReader(part))
	taken := httptest.NewRecorder()
	if c.next.ServeHTTP(taken, r); taken.Code != http.StatusOK {
		http.Error(w, taken.Body.String(), taken.Code)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName      xml.Name `xml:"CopyPartResult"`
		ETag         string
		LastModified time.Time
	}{ETag: taken.Header().Get("Etag"), LastModified: c.server.clock.Now()})
}

// part reads BUCKET/KEY, or bytes=FIRST-LAST of it.
func (c copyingParts) part(source, span string) (string, error) {
	source, err := url.PathUnescape(source)
	if err != nil {
		return "", err
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	object, err := c.server.backend.GetObject(Bucket, key, nil)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(object.Contents)
	if err != nil || span == "" {
		return string(content), err
	}
	var first, last int
	if _, err := fmt.Sscanf(span, "bytes=%d-%d", &first, &last); err != nil {
		return "", err
	}
	return string(content[first : last+1]), nil
}
