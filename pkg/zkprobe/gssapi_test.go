package zkprobe

import (
	"errors"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

func aesKey(fill string) types.EncryptionKey {
	return types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: []byte(strings.Repeat(fill, 32))}
}

// offer is a server's wrap token: the layers that it has, signed with a key.
func offer(t testing.TB, key types.EncryptionKey, payload ...byte) []byte {
	t.Helper()
	w := gssapi.WrapToken{Flags: 1, EC: 12, Payload: append([]byte{}, payload...)}
	if err := w.SetCheckSum(key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		t.Fatal(err)
	}
	b, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGSSAPI(t *testing.T) {
	key := aesKey("k")
	granted := ticket{server: "zookeeper/a", apReq: []byte("AP-REQ"), key: key}
	s := &SASL{Mechanism: GSSAPI, Principal: "canary"}
	var sent [][]byte
	err := s.gssapi(granted)(func(token []byte) ([]byte, error) {
		sent = append(sent, token)
		return [][]byte{offer(t, key, 1, 0, 0, 0), nil}[len(sent)-1], nil
	})
	if err != nil || len(sent) != 2 || string(sent[0]) != "AP-REQ" {
		t.Fatalf("sent %q: %v", sent, err)
	}
	var choice gssapi.WrapToken
	if err := choice.Unmarshal(sent[1], false); err != nil || string(choice.Payload) != "\x01\x00\x00\x00" {
		t.Errorf("chose %q: %v", choice.Payload, err)
	} else if ok, err := choice.Verify(key, keyusage.GSSAPI_INITIATOR_SEAL); !ok {
		t.Error(err)
	}

	for name, c := range map[string]struct {
		key   types.EncryptionKey
		offer []byte
		err   error
		says  string
	}{
		"no SASL":            {key, nil, nil, "does not speak SASL"},
		"another's key":      {key, offer(t, aesKey("x"), 1, 0, 0, 0), nil, "did not prove that it has the key of zookeeper/a"},
		"our own key's side": {key, []byte("AP-REQ"), nil, "not one of RFC 4752"},
		"a challenge":        {key, []byte(challenge), nil, "not one of RFC 4752"},
		"privacy alone":      {key, offer(t, key, 4, 0, 0, 0), nil, "integrity or privacy"},
		"an empty offer":     {key, offer(t, key), nil, "integrity or privacy"},
		"an old cipher":      {types.EncryptionKey{KeyType: etypeID.RC4_HMAC, KeyValue: make([]byte, 16)}, nil, nil, "create AES keys for zookeeper/a"},
		"refused":            {key, nil, &refusedTokenError{code: codeAuthFailed}, "kvno zookeeper/a"},
	} {
		granted.key = c.key
		err := s.gssapi(granted)(func([]byte) ([]byte, error) { return c.offer, c.err })
		var sasl *SASLError
		if !errors.As(err, &sasl) || sasl.Server != "zookeeper/a" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
	granted.key = key
	n := 0
	if err := s.gssapi(granted)(func([]byte) ([]byte, error) {
		if n++; n == 2 {
			return nil, &refusedTokenError{code: codeAuthFailed}
		}
		return offer(t, key, 1, 0, 0, 0), nil
	}); err == nil {
		t.Error("a refusal of the choice was taken for success")
	}
}

func FuzzGSSAPIOffer(f *testing.F) {
	f.Add(offer(f, aesKey("x"), 1, 0, 0, 0))
	f.Add([]byte{5, 4, 1, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, token []byte) {
		s := &SASL{Mechanism: GSSAPI, Principal: "canary"}
		if err := s.gssapi(ticket{server: "zookeeper/a", key: aesKey("k")})(func([]byte) ([]byte, error) { return token, nil }); err == nil {
			t.Errorf("nobody has the key: %q", token)
		}
	})
}
