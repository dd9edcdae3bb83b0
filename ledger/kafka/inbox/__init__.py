"""Facts that feeding systems send by Kafka: taken, refused, sent again."""
