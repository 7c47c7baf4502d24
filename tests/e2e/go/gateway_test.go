// Go clients that others publish, against a running gateway: Prometheus' API client, OpenTelemetry's
// generated messages, Jaeger's JSON model. tests/e2e/go_clients_test.py starts the gateway.
package clients

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"
)

// The gateway's main port, which takes OTLP too.
var gateway = os.Getenv("THROUGHLINE_URL")

func TestMain(m *testing.M) {
	if gateway == "" {
		fmt.Fprintln(os.Stderr, "THROUGHLINE_URL does not say where the gateway is")
		os.Exit(2)
	}
	for path, message := range map[string]proto.Message{
		"/v1/traces":  tracesSent(),
		"/v1/metrics": metricsSent(),
	} {
		if err := send(path, message); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// One OTLP request in protobuf. An answer of success means that it is stored.
func send(path string, message proto.Message) error {
	body, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	answer, err := http.Post(gateway+path, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %q %v", path, answer.StatusCode, text, err)
	}
	return nil
}

// The body of a GET, which must have the status.
func get(t *testing.T, path, accept string, status int) []byte {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("%s: %d %q, want %d", path, answer.StatusCode, body, status)
	}
	return body
}
