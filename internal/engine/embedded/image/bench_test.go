//go:build linux

package image

import (
	"archive/tar"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/setopsco/setops/internal/engine"
)

// image6MB is like the image of a small web service: some small files and one program that compresses badly.
func image6MB(src *source) engine.Image {
	program := make([]byte, 5<<20)
	rand.Read(program)
	var small []tar.Header
	for n := range 50 {
		small = append(small, file(fmt.Sprintf("lib/%d/%d", n%20, n), fmt.Sprint(n)))
	}
	return src.push(repository, []packed{layerOf(small...), layerOf(dir("bin", 0o755)), layerOf(file("bin/app", string(program)))})
}

func BenchmarkPrepareUnpacks6MB(b *testing.B) {
	src := newSource()
	i := image6MB(src)
	for b.Loop() {
		b.StopTimer()
		s, err := New(Config{Dir: b.TempDir(), Source: src})
		must(err)
		b.StartTimer()
		must(s.Prepare(b.Context(), i))
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}

func BenchmarkPrepareOfAPreparedImage(b *testing.B) {
	src := newSource()
	i := image6MB(src)
	s, err := New(Config{Dir: b.TempDir(), Source: src})
	must(err)
	defer s.Close()
	must(s.Prepare(b.Context(), i))
	for b.Loop() {
		must(s.Prepare(b.Context(), i))
	}
}

func BenchmarkMount(b *testing.B) {
	src := newSource()
	i := image6MB(src)
	s, err := New(Config{Dir: b.TempDir(), Source: src})
	must(err)
	defer s.Close()
	must(s.Prepare(b.Context(), i))
	for b.Loop() {
		_, err := s.Mount(b.Context(), i, "c1")
		must(err)
		b.StopTimer()
		must(s.Unmount(b.Context(), "c1"))
		b.StartTimer()
	}
}
