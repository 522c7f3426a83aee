package freeport

import (
	"net"
	"testing"
)

func TestNoPortIsGivenTwice(t *testing.T) {
	first, err := Row(3)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Row(3); err != nil || second < first+3 && second > first-3 {
		t.Errorf("from %d and from %d: %v", first, second, err)
	}
}

func TestAPortThatSomebodyListensOnIsNotGiven(t *testing.T) {
	port, err := Row(1)
	if err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close() //nolint:errcheck // nobody calls
	given.next = port - 1
	if first, err := Row(3); err != nil || first <= port && port < first+3 {
		t.Errorf("from %d, while somebody listens on %d: %v", first, port, err)
	}
}

func TestTheLastPortIsFollowedByTheFirst(t *testing.T) {
	given.next = end - 1
	if first, err := Row(2); err != nil || first < lowest || first > end-2 {
		t.Errorf("%d, %v", first, err)
	}
}

func TestMorePortsThanThereAreAreNotFound(t *testing.T) {
	if first, err := Row(end - lowest + 1); err == nil {
		t.Errorf("from %d", first)
	}
}
