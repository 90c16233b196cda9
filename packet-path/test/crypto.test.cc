#include <doctest/doctest.h>

#include <random>
#include <set>
#include <vector>

#include "core/crypto/aes.h"
#include "core/crypto/replay_window.h"
#include "core/wire/hmac_sha1.h"
#include "hex.h"

using namespace sluice;
using sluice::test::hex;

TEST_CASE("hmac-sha1: the vectors of RFC 2202 §3, in one piece and in two") {
  const std::vector<uint8_t> longKey(80, 0xaa);
  const std::string longText = "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data";
  struct Vector {
    std::vector<uint8_t> key;
    std::string text;
    const char* tag;
  };
  const std::vector<Vector> vectors = {
      {std::vector<uint8_t>(20, 0x0b), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
      {{'J', 'e', 'f', 'e'}, "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
      {longKey, longText, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
  };
  for (const Vector& v : vectors) {
    const wire::HmacSha1 hmac(v.key);
    const Bytes text(reinterpret_cast<const uint8_t*>(v.text.data()), v.text.size());
    const auto expected = hex(v.tag);
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      const auto tag = hmac.sign(text.first(cut), text.subspan(cut));
      CHECK(std::equal(tag.begin(), tag.end(), expected.begin(), expected.end()));
    }
    CHECK(hmac.verify(text, {}, expected));
    CHECK(hmac.verify(text, {}, Bytes(expected).first(10)));
    CHECK(!hmac.verify(text.first(1), {}, expected));
  }
}

TEST_CASE("aes-ctr: the key stream of RFC 3711 §B.2") {
  auto aes = crypto::AesCtr::create(hex("2B7E151628AED2A6ABF7158809CF4F3C"));
  REQUIRE(aes);
  const auto start = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000");
  crypto::AesCtr::Counter counter;
  std::copy(start.begin(), start.end(), counter.begin());
  std::vector<uint8_t> stream(0xFF02 * 16);
  REQUIRE(aes->crypt(counter, stream, stream.data()));
  const auto first =
      hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0");
  CHECK(std::equal(first.begin(), first.end(), stream.begin()));
  const auto last =
      hex("EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44");
  CHECK(std::equal(last.begin(), last.end(), stream.begin() + 0xFEFF * 16));
}

TEST_CASE("aes-gcm: opens what it sealed, and nothing else") {
  const auto key = hex("000102030405060708090a0b0c0d0e0f");
  auto sealer = crypto::AesGcm::create(key, crypto::AesGcm::Direction::kSeal);
  auto opener = crypto::AesGcm::create(key, crypto::AesGcm::Direction::kOpen);
  REQUIRE(sealer);
  REQUIRE(opener);
  const crypto::AesGcm::Nonce nonce = {9};
  const std::vector<uint8_t> associated(13, 3);
  for (const size_t size : {0U, 1U, 15U, 16U, 17U, 1200U}) {
    const std::vector<uint8_t> plain(size, 0x5A);
    std::vector<uint8_t> sealed(size + crypto::AesGcm::kTagBytes);
    std::vector<uint8_t> opened(size + 1);
    REQUIRE(sealer->seal(nonce, associated, plain, sealed.data()));
    REQUIRE(opener->open(nonce, associated, sealed, opened.data()));
    CHECK(std::equal(plain.begin(), plain.end(), opened.begin()));
    sealed[size / 2] ^= 1;
    CHECK(!opener->open(nonce, associated, sealed, opened.data()));
    sealed[size / 2] ^= 1;
    CHECK(opener->open(nonce, associated, sealed, opened.data()));
    CHECK(!opener->open({8}, associated, sealed, opened.data()));
  }
  CHECK(!crypto::AesGcm::create(std::vector<uint8_t>(24), crypto::AesGcm::Direction::kSeal));
}

TEST_CASE("replay window: agrees with a set that remembers everything, for any order of arrival") {
  std::mt19937_64 rng(7);
  for (int round = 0; round < 200; ++round) {
    crypto::ReplayWindow window;
    std::set<uint64_t> seen;
    uint64_t base = round % 2 == 0 ? 0 : rng() >> 20;
    for (int i = 0; i < 2'000; ++i) {
      base += rng() % 3 == 0 ? rng() % (rng() % 50 == 0 ? 300 : 4) : 0;
      const uint64_t index = base + rng() % 200;
      const bool tooOld = index + crypto::ReplayWindow::kSize <= window.highest();
      const bool fresh = window.isFresh(index);
      REQUIRE(fresh == (!tooOld && !seen.contains(index)));
      if (fresh) {
        window.note(index);
        seen.insert(index);
      }
    }
  }
}
