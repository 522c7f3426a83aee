//go:build linux

package rootfs

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestAProgramIsFoundAsAProcessInsideWouldFindIt(t *testing.T) {
	root := tree(t, map[string]string{
		"bin/sh": script("/bin/sh"), "usr/bin/tool": script("/bin/sh"), "srv/app/run": script("/bin/sh"), "opt/tool": "",
		"lib/busy": script("/bin/sh"),
	})
	link(t, root, "/lib/busy", "bin/absolute")
	link(t, root, "../lib/busy", "bin/relative")
	link(t, root, "../../../../../../lib/busy", "bin/beyond")
	env := []string{"PATH=/nowhere", "PATH=/opt:/usr/bin:/bin"}
	for _, test := range []struct{ name, cwd, want string }{
		{"/bin/sh", "/", "/bin/sh"},
		{"sh", "/", "/bin/sh"},
		{"tool", "/", "/usr/bin/tool"}, // the one in /opt is not executable
		{"./run", "/srv/app", "/srv/app/run"},
		{"app/run", "srv", "/srv/app/run"},
		{"absolute", "/", "/bin/absolute"},
		{"relative", "/", "/bin/relative"},
		{"beyond", "/", "/bin/beyond"},
	} {
		got, err := Find(root, []string{test.name}, test.cwd, env)
		if got != test.want || err != nil {
			t.Errorf("%s in %s: got %q, %v", test.name, test.cwd, got, err)
		}
	}
}

func TestNoLinkLeadsOutOfTheRoot(t *testing.T) {
	root := tree(t, map[string]string{"bin/x": ""})
	outside := filepath.Join(t.TempDir(), "program")
	write(t, outside, script(outside), 0o755)
	link(t, root, outside, "bin/out")
	link(t, root, filepath.Join("../../../../../..", outside), "bin/up")
	link(t, root, "/proc/self/exe", "bin/magic")
	for _, name := range []string{"/bin/out", "/bin/up", "/bin/magic", "/../.." + outside} {
		if got, err := Find(root, []string{name}, "/", nil); err == nil {
			t.Errorf("%s was found at %s", name, got)
		}
	}
}

func TestAProgramThatCannotRunIsToldWithItsCause(t *testing.T) {
	root := tree(t, map[string]string{
		"bin/sh": script("/bin/sh"), "etc/passwd": "", "text": "hello", "empty": "",
		"lost": script("/usr/bin/python3"), "windows": "#!/bin/sh\r\nexit 0\r\n", "nobody": "#! \n",
		"foreign": program(t, func(h []byte) { h[18], h[19] = byte(elf.EM_S390), 0 }),
		"dynamic": dynamic("/lib/ld-nowhere.so.1"),
	})
	for _, f := range []string{"text", "empty", "lost", "windows", "nobody", "foreign", "dynamic"} {
		chmod(t, root, f)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, root, "/round", "round")
	for name, want := range map[string]struct {
		code   int
		reason string
	}{
		"":            {127, "the name of the program to run is empty"},
		"/nothing":    {127, "there is no program /nothing in the image"},
		"/text/x":     {127, "there is no program /text/x in the image"},
		"/round":      {127, "there is no program /round in the image"},
		"nothing":     {127, `there is no program "nothing" in the image (PATH is /bin:/usr/bin)`},
		"/bin":        {126, "/bin is a directory, not a program"},
		"/pipe":       {126, "/pipe is not a program but a special file"},
		"/etc/passwd": {126, "/etc/passwd is not executable (its mode is 0644)"},
		"/text":       {126, "/text is neither a Linux program nor a script with a first line that begins with #!"},
		"/empty":      {126, "/empty is neither a Linux program nor a script with a first line that begins with #!"},
		"/nobody":     {126, "/nobody is a script whose first line names no interpreter"},
		"/lost":       {127, "/lost needs the interpreter /usr/bin/python3, which is not in the image"},
		"/windows":    {127, "the first line of /windows ends as on Windows (CR LF), so its interpreter /bin/sh is not found"},
		"/foreign":    {126, "/foreign is a program for another machine (s390x), this one is " + runtime.GOARCH},
		"/dynamic": {127, "/dynamic needs the loader /lib/ld-nowhere.so.1, which is not in the image: " +
			"build it statically, or use an image with that C library"},
	} {
		_, err := Find(root, []string{name}, "/", []string{"PATH=/bin:/usr/bin"})
		var fault *Fault
		if !errors.As(err, &fault) || fault.Reason != want.reason || fault.Code() != want.code {
			t.Errorf("%q: got %v, want %s", name, err, want.reason)
		}
	}
}

func FuzzFindNeverPanics(f *testing.F) {
	f.Add([]byte("#!/bin/sh\n"))
	f.Add([]byte(dynamic("/lib/ld.so")))
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		write(t, filepath.Join(root, "x"), string(content), 0o755)
		if got, err := Find(root, []string{"/x"}, "/", nil); err == nil && got != "/x" {
			t.Errorf("got %q", got)
		}
	})
}

func script(interpreter string) string { return "#!" + interpreter + "\nexit 0\n" }

// program is this test's own, changed.
func program(t *testing.T, change func(header []byte)) string {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	change(self)
	return string(self[:4096])
}

// dynamic is the least that names a loader.
func dynamic(loader string) string {
	const header, entry = 64, 56
	b := make([]byte, header+entry)
	copy(b, elf.ELFMAG)
	b[elf.EI_CLASS], b[elf.EI_DATA], b[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	le := binary.LittleEndian
	le.PutUint16(b[16:], uint16(elf.ET_EXEC))
	le.PutUint16(b[18:], uint16(machines[runtime.GOARCH][0]))
	le.PutUint32(b[20:], uint32(elf.EV_CURRENT))
	le.PutUint64(b[32:], header) // where the program headers begin
	le.PutUint16(b[52:], header)
	le.PutUint16(b[54:], entry)
	le.PutUint16(b[56:], 1)
	p := b[header:]
	le.PutUint32(p, uint32(elf.PT_INTERP))
	le.PutUint64(p[8:], header+entry)
	le.PutUint64(p[32:], uint64(len(loader)+1))
	return string(b) + loader + "\x00"
}

// tree makes a root; what lies in a bin directory, and scripts, can be executed.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		write(t, filepath.Join(root, name), content, mode)
	}
	return root
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, root, name string) {
	t.Helper()
	if err := os.Chmod(filepath.Join(root, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, root, target, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
		t.Fatal(err)
	}
}
