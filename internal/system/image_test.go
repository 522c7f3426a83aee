//go:build linux

package system

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/setopsco/setops/pkg/client"
)

// file is one of an image.
type file struct {
	mode    int64
	content []byte
}

// appImage has the app, and programs that cannot be executed.
var appImage = sync.OnceValues(func() (v1.Image, error) {
	path, err := appProgram()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	layer, err := layerOf(map[string]file{
		"app":     {0o755, program},
		"foreign": {0o755, foreign(program)},
		"readme":  {0o644, []byte("nothing to execute\n")},
		"script":  {0o755, []byte("#!/bin/nosuchshell\necho hello\n")},
	})
	if err != nil {
		return nil, err
	}
	return imageOf(runtime.GOARCH, layer)
})

// foreign makes of a program one for another machine: AArch64, or x86-64 where that is this one.
func foreign(program []byte) []byte {
	const machineAt, x86, arm = 18, 62, 183
	head := slices.Clone(program[:4096])
	other := byte(arm)
	if head[machineAt] == arm {
		other = x86
	}
	head[machineAt] = other
	return head
}

func imageOf(arch string, layers ...v1.Layer) (v1.Image, error) {
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Entrypoint = "linux", arch, []string{"/app"}
	config.Config.Cmd = []string{"serve"}
	return mutate.ConfigFile(image, config)
}

func layerOf(files map[string]file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}

// push brings an image into the repository of an app and gives its digest.
func (s *server) push(t *testing.T, app client.AppRef, image v1.Image) string {
	t.Helper()
	path := organization + "/" + project + "/" + app.Stage + "/" + app.App
	tag, err := name.NewTag(s.daemon.APIAddress()+"/"+path+":v1", name.Insecure)
	must(t, err)
	auth := remote.WithAuth(&authn.Basic{Username: admin, Password: password})
	must(t, remote.Write(tag, image, auth, remote.WithContext(t.Context())))
	digest, err := image.Digest()
	must(t, err)
	return digest.String()
}
