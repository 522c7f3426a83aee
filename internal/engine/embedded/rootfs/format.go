//go:build linux

package rootfs

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// head is as much of a script as the kernel reads for its first line.
const head = 256

// machines says which programs the kernel of an architecture runs: its own, and those of its 32-bit ancestor.
var machines = map[string][]elf.Machine{
	"386":     {elf.EM_386},
	"amd64":   {elf.EM_X86_64, elf.EM_386},
	"arm":     {elf.EM_ARM},
	"arm64":   {elf.EM_AARCH64, elf.EM_ARM},
	"ppc64le": {elf.EM_PPC64},
	"riscv64": {elf.EM_RISCV},
	"s390x":   {elf.EM_S390},
}

func checkFormat(root, program string, f *os.File) error {
	begin := make([]byte, head)
	n, err := io.ReadFull(f, begin)
	if err != nil && n == 0 && err != io.EOF {
		return fmt.Errorf("read program %s: %w", program, err)
	}
	begin = begin[:n]
	switch {
	case bytes.HasPrefix(begin, []byte(elf.ELFMAG)):
		return checkBinary(root, program, begin, f)
	case bytes.HasPrefix(begin, []byte("#!")):
		return checkScript(root, program, begin)
	}
	return &Fault{Reason: program + " is neither a Linux program nor a script with a first line that begins with #!"}
}

func checkBinary(root, program string, begin []byte, f *os.File) error {
	if fit, known := machines[runtime.GOARCH]; known && !slices.Contains(fit, machineOf(begin)) {
		return &Fault{Reason: fmt.Sprintf("%s is a program for another machine (%s), this one is %s",
			program, machineName(machineOf(begin)), runtime.GOARCH)}
	}
	parsed, err := elf.NewFile(f)
	if err != nil {
		return nil // stranger than we understand; the kernel is the judge
	}
	for _, p := range parsed.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		name, err := io.ReadAll(p.Open())
		loader := string(bytes.TrimRight(name, "\x00"))
		if err == nil && loader != "" && !exists(root, loader) {
			return &Fault{Missing: true, Reason: fmt.Sprintf("%s needs the loader %s, which is not in the image: "+
				"build it statically, or use an image with that C library", program, loader)}
		}
	}
	return nil
}

// machineOf reads the header alone: what else is in the file may be beyond package elf, and it would run nevertheless.
func machineOf(begin []byte) elf.Machine {
	const at = 18
	if len(begin) < at+2 {
		return elf.EM_NONE
	}
	if elf.Data(begin[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return elf.Machine(binary.BigEndian.Uint16(begin[at:]))
	}
	return elf.Machine(binary.LittleEndian.Uint16(begin[at:]))
}

func machineName(m elf.Machine) string {
	for arch, all := range machines {
		if all[0] == m {
			return arch
		}
	}
	return m.String()
}

func checkScript(root, program string, begin []byte) error {
	line, _, _ := bytes.Cut(begin[len("#!"):], []byte{'\n'})
	fields := strings.Fields(string(line))
	if len(fields) == 0 {
		return &Fault{Reason: program + " is a script whose first line names no interpreter"}
	}
	// A script with Windows line ends asks for an interpreter whose name ends in CR: the most common cause of this.
	interpreter := fields[0]
	if exists(root, interpreter) && !bytes.HasSuffix(line, []byte{'\r'}) {
		return nil
	}
	if bytes.HasSuffix(line, []byte{'\r'}) && len(fields) == 1 {
		return &Fault{Missing: true, Reason: fmt.Sprintf("the first line of %s ends as on Windows (CR LF), "+
			"so its interpreter %s is not found", program, interpreter)}
	}
	if exists(root, interpreter) {
		return nil
	}
	return &Fault{Missing: true, Reason: fmt.Sprintf("%s needs the interpreter %s, which is not in the image", program, interpreter)}
}
